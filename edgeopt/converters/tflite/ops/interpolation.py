"""What resizing along one axis means, as a matrix: ``out = matrix @ in``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """ONNX's attributes of a Resize.

    Args:
        mode: ``nearest``, ``linear`` or ``cubic``.
        coordinates: How an output pixel's place becomes an input's.
        rounding: Of the place, for ``nearest``.
        cubic: The cubic's coefficient a.
        inside: Whether weights outside of the image are left out and the rest scaled up.
        antialias: Whether the filter widens when the image shrinks.
    """

    mode: str
    coordinates: str
    rounding: str
    cubic: float = -0.75
    inside: bool = False
    antialias: bool = False

    @staticmethod
    def of(node: ir.Node, *, opset: int) -> Sampling:
        """A node's."""
        get = node.attributes
        if opset == 10:
            return Sampling(get.get_string("mode", "nearest") or "nearest", "asymmetric", "floor")
        return Sampling(
            get.get_string("mode", "nearest") or "nearest",
            get.get_string("coordinate_transformation_mode", "half_pixel") or "half_pixel",
            get.get_string("nearest_mode", "round_prefer_floor") or "round_prefer_floor",
            get.get_float("cubic_coeff_a", -0.75),
            bool(get.get_int("exclude_outside", 0)),
            bool(get.get_int("antialias", 0)),
        )


def onnx_matrix(size: int, end: int, scale: float, sampling: Sampling) -> Matrix:
    """ONNX's Resize along one axis, ``(end, size)`` (operator Resize, "coordinate_transformation").

    Args:
        size: Of the input.
        end: Of the output.
        scale: From the input to the output.
        sampling: How.
    """
    places = np.array([_source(x, size, end, scale, sampling.coordinates) for x in range(end)])
    if sampling.mode == "nearest":
        return _one_hot(np.array([_rounded(p, sampling.rounding) for p in places]), size)
    found = np.zeros((end, size))
    for row, place in enumerate(places):
        for index, weight in _taps(place, size, scale, sampling):
            found[row, min(max(index, 0), size - 1)] += weight
    return found


def kernel_matrix(size: int, end: int, mode: str, *, half: bool, corners: bool) -> Matrix:
    """What LiteRT's RESIZE kernels compute along one axis, ``(end, size)``."""
    steps = np.arange(end, dtype=np.float32)
    scale = np.float32(size / end)
    if corners and end > 1:
        scale = np.float32((size - 1) / (end - 1))
    if mode == "nearest":
        places = (steps + np.float32(0.5 if half else 0)) * scale
        chosen = np.floor(places + 0.5) if corners else np.floor(places)
        return _one_hot(chosen.astype(int), size)
    places = (steps + 0.5) * scale - 0.5 if half else steps * scale
    found = np.zeros((end, size))
    for row, place in enumerate(places):
        low = max(math.floor(place), 0)
        high = min(math.ceil(place), size - 1)
        found[row, min(low, size - 1)] += 1 - (place - low)
        found[row, max(high, 0)] += place - low
    return found


def _source(x: int, size: int, end: int, scale: float, kind: str) -> float:
    if kind == "half_pixel":
        return (x + 0.5) / scale - 0.5
    if kind == "pytorch_half_pixel":
        return (x + 0.5) / scale - 0.5 if end > 1 else 0.0
    if kind == "half_pixel_symmetric":
        shrunk = end / (scale * size)
        return size / 2 * (1 - shrunk) + (x + 0.5) / scale - 0.5
    if kind == "align_corners":
        return x * (size - 1) / (end - 1) if end > 1 else 0.0
    assert kind == "asymmetric", kind
    return x / scale


def _rounded(place: float, rounding: str) -> int:
    if rounding == "floor":
        return math.floor(place)
    if rounding == "ceil":
        return math.ceil(place)
    if rounding == "round_prefer_ceil":
        return math.floor(place + 0.5)
    return math.ceil(place - 0.5)


def _one_hot(places: NDArray[np.int64], size: int) -> Matrix:
    found = np.zeros((len(places), size))
    found[np.arange(len(places)), np.clip(places, 0, size - 1)] = 1
    return found


def _taps(place: float, size: int, scale: float, sampling: Sampling) -> list[tuple[int, float]]:
    """The input pixels that one output pixel is made of, and their weights."""
    reach = 1.0 if sampling.mode == "linear" else 2.0
    wide = min(scale, 1.0) if sampling.antialias else 1.0
    first = math.floor(place - reach / wide) + 1
    last = math.ceil(place + reach / wide) - 1
    indices = range(first, max(last, first) + 1)
    weights = np.array([_weight((i - place) * wide, sampling) for i in indices])
    if sampling.inside or sampling.antialias:
        outside = np.array([i < 0 or i >= size for i in indices])
        if sampling.inside:
            weights[outside] = 0
        weights = weights / weights.sum()
    return list(zip(indices, weights.tolist(), strict=True))


def _weight(distance: float, sampling: Sampling) -> float:
    d = abs(distance)
    if sampling.mode == "linear":
        return max(1 - d, 0.0)
    a = sampling.cubic
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0
