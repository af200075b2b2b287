"""``--input``: what a model's file can't tell of its inputs.

``name:float32[1,3,224,224]`` gives dtype and shape; a dimension that is a word is dynamic, as in
``[batch,3,224,224]``. ``name=16000`` fixes an input to a constant value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgeopt.core.errors import UsageError
from edgeopt.core.tensors import Dim, TensorSpec

DTYPES = ("float32", "float16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
_EXAMPLE = "write it as name:float32[1,3,224,224], [batch,3,224,224] for a dynamic batch"
_SPEC = re.compile(r"(?P<name>[^:=\[\]]+):(?P<dtype>\w+)\[(?P<shape>[^\]]*)\]")
_FIXED = re.compile(r"(?P<name>[^:=\[\]]+)=(?P<value>[-+.\w]+)")


@dataclass(frozen=True)
class InputOptions:
    """The parsed ``--input`` options.

    Args:
        specs: Inputs whose dtype and shape were given, by name.
        fixed: Inputs that become constants, by name.
    """

    specs: dict[str, TensorSpec]
    fixed: dict[str, float | int]


def parse_inputs(options: tuple[str, ...]) -> InputOptions:
    """Parse ``--input`` options.

    Raises:
        UsageError: If one isn't of either form.
    """
    specs, fixed = {}, {}
    for text in options:
        if match := _SPEC.fullmatch(text.strip()):
            spec = _spec(text, match)
            specs[spec.name] = spec
        elif match := _FIXED.fullmatch(text.strip()):
            fixed[match["name"]] = _number(text, match["value"])
        else:
            raise UsageError(f"--input {text!r} isn't understood", hint=_EXAMPLE)
    return InputOptions(specs, fixed)


def _spec(text: str, match: re.Match[str]) -> TensorSpec:
    if match["dtype"] not in DTYPES:
        raise UsageError(
            f"--input {text!r}: no dtype {match['dtype']!r}", hint=f"known: {', '.join(DTYPES)}"
        )
    dims = [d.strip() for d in match["shape"].split(",")] if match["shape"].strip() else []
    return TensorSpec(
        name=match["name"].strip(),
        dtype=match["dtype"],
        shape=tuple(_dim(text, d) for d in dims),
    )


def _dim(text: str, dim: str) -> Dim:
    if dim.isdigit() and int(dim) > 0:
        return int(dim)
    if dim.isidentifier():
        return dim
    raise UsageError(f"--input {text!r}: {dim!r} isn't a dimension", hint=_EXAMPLE)


def _number(text: str, value: str) -> float | int:
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError as error:
        raise UsageError(
            f"--input {text!r}: {value!r} isn't a number", hint="write it as name=16000"
        ) from error
