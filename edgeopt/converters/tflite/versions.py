"""The version that each operator says it has, and the oldest runtime that knows it.

From LiteRT's own tables (``tools/versioning/op_version.cc`` and ``runtime_version.cc``), as far as
we write operators. A runtime refuses a version it doesn't know; one that is told too low a version
computes what it believes the operator to be.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgeopt.converters.tflite.model import Operator, Tensor

_INT8 = {
    "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "ADD": 2, "SUB": 2, "MUL": 2, "MEAN": 2, "PAD": 2,
    "PADV2": 2, "MAX_POOL_2D": 2, "AVERAGE_POOL_2D": 2, "SOFTMAX": 2, "LOGISTIC": 2, "TANH": 2,
    "CONCATENATION": 2, "TRANSPOSE": 2, "BATCH_MATMUL": 2, "LEAKY_RELU": 2, "GELU": 2,
    "TRANSPOSE_CONV": 3, "DEQUANTIZE": 2, "RELU": 2, "RELU6": 2, "SLICE": 2, "STRIDED_SLICE": 2,
    "SPLIT": 2, "SPLIT_V": 2, "RESIZE_BILINEAR": 2, "RESIZE_NEAREST_NEIGHBOR": 2, "GATHER": 2,
    "MAXIMUM": 2, "MINIMUM": 2, "SPACE_TO_DEPTH": 2, "DEPTH_TO_SPACE": 2, "LOG_SOFTMAX": 2,
    "PRELU": 1, "SUM": 2, "TILE": 3, "DIV": 2, "ABS": 2,
}  # fmt: skip
_INT16 = {
    "CONV_2D": 4, "DEPTHWISE_CONV_2D": 5, "FULLY_CONNECTED": 7, "ADD": 3, "SUB": 3, "MUL": 4,
    "MEAN": 3, "PAD": 3, "MAX_POOL_2D": 3, "AVERAGE_POOL_2D": 3, "SOFTMAX": 3, "LOGISTIC": 3,
    "TANH": 3, "CONCATENATION": 3, "TRANSPOSE": 4, "QUANTIZE": 2, "DEQUANTIZE": 3, "RESHAPE": 1,
    "LEAKY_RELU": 2, "BATCH_MATMUL": 3, "TRANSPOSE_CONV": 4, "SLICE": 4,
}  # fmt: skip

_FLOOR = "2.5.0"
"""From 2021; of operators that older runtimes know, nobody asks since when."""

_SINCE = {
    ("ABS", 5): "2.12.0", ("ADD", 4): "2.6.0", ("ADD", 5): "2.13.0", ("ATAN2", 1): "2.10.0",
    ("BITWISE_XOR", 1): "2.13.0", ("CONV_2D", 6): "2.9.0", ("DEQUANTIZE", 5): "2.7.0",
    ("DEQUANTIZE", 6): "2.18.0", ("FULLY_CONNECTED", 12): "2.17.0", ("GELU", 1): "2.9.0",
    ("GELU", 2): "2.9.0", ("MUL", 5): "2.6.0", ("REDUCE_ALL", 1): "2.6.0",
    ("RIGHT_SHIFT", 1): "2.13.0", ("SELECT_V2", 2): "2.12.0", ("SIGN", 1): "2.11.0",
    ("TILE", 3): "2.8.0", ("TRANSPOSE_CONV", 4): "2.13.0",
}  # fmt: skip


def oldest_runtime(used: Iterable[tuple[str, int]]) -> str:
    """The oldest runtime, by TensorFlow Lite's numbers, that has every operator.

    Args:
        used: Operators and their versions.
    """
    needed = {_FLOOR, *(_SINCE[key] for key in used if key in _SINCE)}
    return max(needed, key=lambda version: tuple(map(int, version.split("."))))


def operator_version(op: Operator) -> int:
    """The least version that has what the operator uses."""
    data = next((t for t in op.inputs if t is not None), None)
    weight = op.inputs[1] if len(op.inputs) > 1 else None
    kind = data.dtype if data is not None else np.dtype(np.float32)
    integers = weight is not None and weight.dtype == np.int8 and weight.constant
    if op.code == "DEQUANTIZE" and data is not None and data.quantization is not None:
        return _dequantize(data)
    if op.code == "FULLY_CONNECTED":
        return _fully_connected(kind, weight if integers else None)
    if op.code == "GATHER" and op.options is not None and op.options.fields.get("batchDims"):
        return 5
    if op.code == "CONV_2D" and weight is not None and _grouped(data, weight):
        return 6
    if kind == np.float32 and integers:
        return {"CONV_2D": 5, "DEPTHWISE_CONV_2D": 6, "BATCH_MATMUL": 2}.get(op.code, 1)
    if kind == np.int8:
        return _INT8.get(op.code, 1)
    if kind == np.int16:
        return _INT16.get(op.code, 1)
    if op.code == "DEQUANTIZE" and kind == np.float16:
        return 3
    return 2 if op.code == "SELECT_V2" and len(op.output.shape) > 4 else 1


def _dequantize(data: Tensor) -> int:
    assert data.quantization is not None
    if data.bits == 4:
        return 6
    return 5 if data.quantization.axis is not None else 2


def _grouped(data: Tensor | None, weight: Tensor) -> bool:
    return data is not None and data.shape[-1] != weight.shape[-1]


def _fully_connected(kind: np.dtype, weight: Tensor | None) -> int:
    """5 keeps the number of dimensions; ``weight`` is None where it isn't int8."""
    if kind == np.int16:
        return 7
    if kind == np.int8 or weight is None:
        return 5
    # Before version 12 a hybrid product has one scale: of several an old runtime takes the first.
    one = weight.quantization is None or weight.quantization.axis is None
    return 9 if one else 12
