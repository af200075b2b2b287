"""Which types LiteRT's kernels take, as far as elements stand for themselves.

Found by running each kernel, with XNNPACK and without, against numpy: some abort the process on a
type they don't have, some compute something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgeopt.converters.tflite.model import Tensor

STORED = frozenset(
    {"float32", "int64", "int32", "int16", "int8", "uint32", "uint16", "uint8", "bool"}
)
"""What values may be made of at all."""

_FLOAT = frozenset({"float32"})
_INT32 = frozenset({"float32", "int32"})
_INT64 = frozenset({"float32", "int32", "int64"})
_BOOL = frozenset({"bool"})
_COMMON = _INT64 | {"int16", "int8", "uint8"}
_MOVED = _COMMON | {"bool"}
_BITS = STORED - {"float32", "int64", "bool"}

_TAKES = {
    "ADD": _INT64, "SUB": _INT64, "MUL": _INT64, "DIV": _INT32, "POW": _INT32,
    "MAXIMUM": _COMMON, "MINIMUM": _COMMON, "FLOOR_DIV": _INT32, "FLOOR_MOD": _INT64,
    "SQUARED_DIFFERENCE": _INT32,
    "EQUAL": _INT64 | _BOOL, "NOT_EQUAL": _INT64 | _BOOL, "LESS": _INT64, "LESS_EQUAL": _INT64,
    "GREATER": _INT64, "GREATER_EQUAL": _INT64,
    "LOGICAL_AND": _BOOL, "LOGICAL_OR": _BOOL, "LOGICAL_NOT": _BOOL,
    "BITWISE_XOR": _BITS, "RIGHT_SHIFT": _BITS,
    "ABS": _INT32, "NEG": _INT64, "SIGN": _INT32,
    "SELECT_V2": STORED, "RESHAPE": STORED, "TRANSPOSE": STORED, "SLICE": STORED,
    "STRIDED_SLICE": STORED, "CAST": STORED, "TILE": STORED, "MIRROR_PAD": STORED,
    "CONCATENATION": STORED - {"uint16"}, "GATHER": _MOVED, "GATHER_ND": _MOVED, "PAD": _MOVED,
    "PADV2": _MOVED, "BROADCAST_TO": _MOVED, "REVERSE_V2": _MOVED, "SCATTER_ND": _MOVED - {"int16"},
    "DEPTH_TO_SPACE": _COMMON - {"int16"}, "SPACE_TO_DEPTH": _COMMON - {"int16"},
    "SUM": _INT64, "MEAN": _FLOAT, "REDUCE_MAX": _COMMON, "REDUCE_MIN": _COMMON,
    "REDUCE_PROD": _INT64, "REDUCE_ANY": _BOOL, "REDUCE_ALL": _BOOL,
    "ARG_MAX": _INT32 | {"int8", "uint8"}, "ARG_MIN": _INT32 | {"int8", "uint8"},
    "CUMSUM": _INT64, "ONE_HOT": frozenset({"int32", "int64"}), "TOPK_V2": _INT64,
    "SHAPE": STORED,
}  # fmt: skip
"""The others compute in float32 alone."""

_DATA = {"SELECT_V2": 1, "TRANSPOSE_CONV": 2, "SCATTER_ND": 1}
"""Where the data are, when they aren't the first input."""

_WIDER = {
    "int8": ("int32",), "uint8": ("int32",), "int16": ("int32",), "uint16": ("int32",),
    "uint32": ("int64",),
}  # fmt: skip


def takes(code: str, dtype: np.dtype[Any]) -> bool:
    """Whether a kernel computes in a type."""
    return dtype.name in _TAKES.get(code, _FLOAT)


def wider(code: str, dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """A type that holds every value of this one, which the kernel has; None if there isn't any."""
    found = (np.dtype(name) for name in _WIDER.get(dtype.name, ()))
    return next((kind for kind in found if takes(code, kind)), None)


def data_of(code: str, inputs: list[Tensor | None]) -> Tensor | None:
    """The input whose type decides whether there is a kernel."""
    place = _DATA.get(code, 0)
    return inputs[place] if place < len(inputs) else None
