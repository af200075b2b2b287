"""What TFLite Micro can't run, found in the file before any firmware is built of it."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.converters.micro.operators import METHODS
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.tflite_graph import StoredOperator, TfliteFile

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_INTEGERS = ("int4", "int8", "uint8")


def check_runs(file: TfliteFile, name: str) -> None:
    """Refuse a file that TFLite Micro can't run, or would run wrongly.

    Args:
        file: The artifact.
        name: What it is called in messages.

    Raises:
        UnsupportedError: Names each operator and why.
    """
    reasons = list(dict.fromkeys(_reasons(file)))
    if reasons:
        raise UnsupportedError(
            f"{name}: TFLite Micro can't run it: {'; '.join(reasons)}",
            hint="change the model, or convert for a target that LiteRT runs on",
        )


def _reasons(file: TfliteFile) -> Iterator[str]:
    lacking = dict.fromkeys(op.code for op in file.operators if not _known(op))
    if lacking:
        yield f"it has no {', '.join(lacking)}"
    for op in file.operators:
        yield from _kernel(file, op)


def _known(operator: StoredOperator) -> bool:
    return not operator.custom and operator.code in METHODS


def _kernel(file: TfliteFile, op: StoredOperator) -> Iterator[str]:
    """What an operator's kernel there refuses, or does wrongly without a word."""
    given = [file.tensors[index] for index in op.inputs if index >= 0]
    if not given:
        return
    if op.code in _WEIGHTED and len(given) > 1:
        # kernels/conv_common.cc: "Hybrid models are not supported on TFLite Micro."
        data = given[-1] if op.code == "TRANSPOSE_CONV" else given[0]
        if data.spec.dtype == "float32" and given[1].spec.dtype in _INTEGERS:
            yield f"its {op.code} takes no floats beside integer weights"
    if op.code == "DEQUANTIZE":
        # kernels/dequantize_common.cc: int8, int16 or uint8, and params.scale alone.
        if given[0].spec.dtype not in ("int8", "int16", "uint8"):
            yield f"its DEQUANTIZE takes no {given[0].spec.dtype}"
        elif given[0].quantized is not None and len(given[0].quantized.scale) > 1:
            yield "its DEQUANTIZE takes one scale for all channels"
