"""``--input``: what a model's file can't tell of its inputs.

``name:float32[1,3,224,224]`` gives dtype and shape; a dimension that is a word is dynamic, as in
``[batch,3,224,224]``, and one that is a range, ``1..8`` or ``1..4..8``, is dynamic within it: the
least, what is usual, and the largest size. ``name=16000`` fixes an input to a constant value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edgeopt.core.errors import UsageError
from edgeopt.core.tensors import Dim, Sizes, TensorSpec

DTYPES = ("float32", "float16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
_EXAMPLE = "write it as name:float32[1,3,224,224], [batch,3,224,224] for a dynamic batch"
_SPEC = re.compile(r"(?P<name>[^:=\[\]]+):(?P<dtype>\w+)\[(?P<shape>[^\]]*)\]")
_RANGE = re.compile(r"(\d+)\.\.(?:(\d+)\.\.)?(\d+)")
_FIXED = re.compile(r"(?P<name>[^:=\[\]]+)=(?P<value>[-+.\w]+)")


@dataclass(frozen=True)
class InputOptions:
    """The parsed ``--input`` options.

    Args:
        specs: Inputs whose dtype and shape were given, by name.
        fixed: Inputs that become constants, by name.
        ranges: Of inputs with sizes that were given as a range: an entry a dimension, None for one
            that has none.
    """

    specs: dict[str, TensorSpec]
    fixed: dict[str, float | int]
    ranges: dict[str, tuple[Sizes | None, ...]] = field(default_factory=dict)


def parse_inputs(options: tuple[str, ...]) -> InputOptions:
    """Parse ``--input`` options.

    Raises:
        UsageError: If one isn't of either form.
    """
    specs, fixed, ranges = {}, {}, {}
    for text in options:
        if match := _SPEC.fullmatch(text.strip()):
            spec = _spec(text, match)
            specs[spec.name] = spec
            if any(sizes := tuple(_sizes(text, d) for d in _dims(match))):
                ranges[spec.name] = sizes
        elif match := _FIXED.fullmatch(text.strip()):
            fixed[match["name"]] = _number(text, match["value"])
        else:
            raise UsageError(f"--input {text!r} isn't understood", hint=_EXAMPLE)
    return InputOptions(specs, fixed, ranges)


def _spec(text: str, match: re.Match[str]) -> TensorSpec:
    if match["dtype"] not in DTYPES:
        raise UsageError(
            f"--input {text!r}: no dtype {match['dtype']!r}", hint=f"known: {', '.join(DTYPES)}"
        )
    name = match["name"].strip()
    shape = tuple(_dim(text, name, axis, d) for axis, d in enumerate(_dims(match)))
    return TensorSpec(name=name, dtype=match["dtype"], shape=shape)


def _dims(match: re.Match[str]) -> list[str]:
    return [d.strip() for d in match["shape"].split(",")] if match["shape"].strip() else []


def _sizes(text: str, dim: str) -> Sizes | None:
    found = _RANGE.fullmatch(dim)
    if found is None:
        return None
    least, usual, largest = (int(n) for n in (found[1], found[2] or found[1], found[3]))
    if not 0 < least <= usual <= largest:
        raise UsageError(
            f"--input {text!r}: {dim} isn't a range of sizes", hint="write 1..8, or 1..4..8"
        )
    return least, usual, largest


def _dim(text: str, name: str, axis: int, dim: str) -> Dim:
    if _RANGE.fullmatch(dim):
        return f"{name}_{axis}" if axis else "batch"
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
