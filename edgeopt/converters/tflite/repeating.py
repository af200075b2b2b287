"""Repeating a value for each entry of the batch, whose size is known only when the model runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeopt.converters.tflite.elementwise import combined, mapped
from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.slices import sliced
from edgeopt.converters.tflite.storage import Storage
from edgeopt.converters.tflite.views import View


def repeated(storage: Storage, view: View, axis: int) -> View:
    """A value repeated along an axis of size 1 for each entry of the batch."""
    kind = view.tensor.dtype
    if kind == np.bool_:
        numbers = mapped(storage, "CAST", view, "CastOptions", dtype=np.int32)
        longer = repeated(storage, numbers, axis)
        return mapped(storage, "CAST", longer, "CastOptions", dtype=np.bool_)
    zeros = _zeros(storage, view.rank, axis, kind)
    return combined(storage, "ADD", [zeros, view], Options("AddOptions"))


def _zeros(storage: Storage, rank: int, axis: int, dtype: Any) -> View:
    """Zeros of size 1, but for one axis that is as long as the batch.

    A size that is only known when the model runs can't be given to BROADCAST_TO without leaving
    the delegate; what is added to these is repeated by broadcasting.
    """
    kind = np.dtype(dtype)
    if kind not in storage.zeros:
        storage.zeros[kind] = _computed_zeros(storage, kind)
    return View.of(storage.reshaped_tensor(storage.zeros[kind], (1,) * rank, frozenset({axis})))


def _computed_zeros(storage: Storage, kind: np.dtype[Any]) -> Tensor:
    """``min(|x|, 0)`` of one element of each entry: 0 for infinity too."""
    source = next(t for t in storage.model.inputs if t.batched)
    cuts = {n: slice(0, 1, 1) for n in range(len(source.shape)) if n not in source.batched}
    first = sliced(storage, View.of(source), cuts).tensor
    if first.dtype != np.float32:
        first = storage.emit("CAST", [first], Options("CastOptions"), dtype=np.float32)
    positive = storage.emit("ABS", [first], Options("AbsOptions"))
    zero = storage.constant_tensor(np.zeros((), np.float32), "zero")
    found = storage.emit("MINIMUM", [positive, zero], Options("MaximumMinimumOptions"))
    found = storage.reshaped_tensor(found, (1, 1), frozenset({0}))  # XNNPACK takes no (-1,)
    if kind != np.float32:
        found = storage.emit("CAST", [found], Options("CastOptions"), dtype=kind)
    return found
