"""From what is given for a model's inputs to what an artifact's file takes, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.core.layout import CHANNELS_FIRST, CHANNELS_LAST, Layout
from edgeopt.core.tensors import TensorSpec

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


def image(rank: int) -> bool:
    """Whether an input counts as an image, whose axes a layout is about."""
    return rank == len(CHANNELS_LAST)


def stored(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """An input with channels first as an artifact of ``layout`` takes it; others as they are."""
    if layout is Layout.NHWC and image(array.ndim):
        return np.ascontiguousarray(array.transpose(CHANNELS_LAST))
    return array


def given(spec: TensorSpec, layout: Layout) -> TensorSpec:
    """What is given for an input of an artifact of ``layout``: images with channels first."""
    if layout is not Layout.NHWC or not image(len(spec.shape)):
        return spec
    shape = tuple(spec.shape[axis] for axis in CHANNELS_FIRST)
    return TensorSpec(name=spec.name, dtype=spec.dtype, shape=shape)


def quantized(array: NDArray[Any], dtype: DTypeLike, scale: float, zero: int) -> NDArray[Any]:
    """Floats as the integers that stand for them; what has integers already is left alone."""
    if array.dtype.kind != "f":
        return array
    limits = np.iinfo(np.dtype(dtype))
    steps = np.rint(array / np.float32(scale)) + zero
    return np.asarray(np.clip(steps, limits.min, limits.max).astype(dtype))


def dequantized(array: NDArray[Any], scale: float, zero: int) -> NDArray[np.float32]:
    """The reals that integers stand for."""
    steps = array.astype(np.int32) - np.int32(zero)
    return steps.astype(np.float32) * np.float32(scale)
