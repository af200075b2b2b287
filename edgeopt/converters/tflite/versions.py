"""The version that each operator says it has: what its oldest runtime must know.

Hardly checked by runtimes, except that one too high is refused. From LiteRT's own table
(``tflite/tools/versioning/op_version.cc``), as far as we write operators.
"""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.model import Operator

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


def operator_version(op: Operator) -> int:
    """The least version that has what the operator uses."""
    data = next((t for t in op.inputs if t is not None), None)
    weight = op.inputs[1] if len(op.inputs) > 1 else None
    kind = data.dtype if data is not None else np.dtype(np.float32)
    integers = weight is not None and weight.dtype == np.int8 and weight.constant
    if op.code == "DEQUANTIZE" and data is not None and data.quantization is not None:
        return 5 if data.quantization.axis is not None else 2
    if op.code == "FULLY_CONNECTED":
        return _fully_connected(kind, weight_int8=integers)
    if kind == np.float32 and integers:
        return {"CONV_2D": 5, "DEPTHWISE_CONV_2D": 6, "BATCH_MATMUL": 2}.get(op.code, 1)
    if kind == np.int8:
        return _INT8.get(op.code, 1)
    if kind == np.int16:
        return _INT16.get(op.code, 1)
    if op.code == "DEQUANTIZE" and kind == np.float16:
        return 3
    return 2 if op.code == "SELECT_V2" and len(op.output.shape) > 4 else 1


def _fully_connected(kind: np.dtype, *, weight_int8: bool) -> int:
    if kind == np.int16:
        return 7
    if kind == np.int8:
        return 5
    return 9 if weight_int8 else 5  # 5: keeps the number of dimensions
