"""Sums of signal and noise, kept while samples pass by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.core.manifest import Encoding
from edgeopt.pipeline.diagnosis.records import Cause, OwnNoise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

ONLY_NOISE = -999.0
"""The SQNR in dB where there is no signal, or the noise isn't finite."""

_WITHIN_STEP = 0.51
"""Rounding moves a value by half a step at most; float32 adds its own rounding to that."""


def decibels(signal: float, noise: float) -> float | None:
    """``10 log10(signal / noise)``; None without noise, -999 where there is nothing but noise."""
    if noise == 0:
        return None
    if signal <= 0 or not np.isfinite(noise) or not np.isfinite(signal):
        return ONLY_NOISE
    return float(10 * np.log10(signal / noise))


def energy(array: Floats) -> float:
    """The sum of squares.

    In the array's own precision, which is exact enough for decibels and ten times as fast, unless
    that overflows.
    """
    flat = np.ascontiguousarray(array).reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        fast = float(np.dot(flat, flat)) if flat.dtype == np.float32 else np.inf
    if np.isfinite(fast):
        return fast
    return float(np.square(flat, dtype=np.float64).sum())


def quantized(array: Floats, encoding: Encoding) -> Floats:
    """What an encoding leaves of an activation: ``scale * (clamp(round(x / scale)))``.

    Args:
        array: Float32.
        encoding: One scale for the tensor.
    """
    scale = np.float32(encoding.scale[0])
    low, high = (np.float32(np.rint(end / scale)) for end in (encoding.low, encoding.high))
    steps: Floats = np.rint(array / scale)
    return np.clip(steps, low, high, out=steps) * scale


@dataclass
class Rounding:
    """The noise of writing a tensor with fewer bits: what is clipped apart from what is rounded.

    Args:
        range: The noise power of what lies outside of the range, summed.
        resolution: That of what is rounded, summed.
        clipped: How many elements lie outside.
        count: How many there are.
    """

    range: float = 0.0
    resolution: float = 0.0
    clipped: int = 0
    count: int = 0

    def add_integers(self, array: Floats, encoding: Encoding) -> None:
        """Add one sample of a tensor that becomes integers."""
        error = array - quantized(array, encoding)
        self._add(error, np.abs(error) > _WITHIN_STEP * encoding.scale[0])

    def add_halves(self, array: Floats) -> None:
        """Add one sample of a tensor that becomes float16; beyond 65504 a value is lost."""
        with np.errstate(over="ignore"):
            halves = array.astype(np.float16).astype(np.float32)
        lost = ~np.isfinite(halves)
        self._add(array - np.where(lost, np.float32(0), halves), lost)

    def _add(self, error: Floats, beyond: NDArray[np.bool_]) -> None:
        count = int(np.count_nonzero(beyond))
        if count:
            self.range += energy(error[beyond])
            error = error[~beyond]
        self.resolution += energy(error)
        self.clipped += count
        self.count += beyond.size


@dataclass
class LayerNoise:
    """Everything that is summed up of one layer's output.

    Args:
        signal: Of the float graph.
        noise: Float graph against artifact.
        weights: Float graph against the layer alone with its integer weights.
        rounding: Of its output.
        low: The smallest value of the float graph.
        high: The largest.
    """

    signal: float
    noise: float
    weights: float
    rounding: Rounding
    low: float = np.inf
    high: float = -np.inf

    @staticmethod
    def empty() -> LayerNoise:
        """Before the first sample."""
        return LayerNoise(0.0, 0.0, 0.0, Rounding())

    def add(self, reference: Floats, found: Floats, alone: Floats | None) -> None:
        """Add one sample.

        Args:
            reference: The float graph's.
            found: The artifact's.
            alone: The layer's with its integer weights and the float input, if it has some.
        """
        self.signal += energy(reference)
        self.noise += energy(reference - found.astype(np.float32, copy=False))
        if alone is not None:
            self.weights += energy(reference - alone)
        self.low = min(self.low, float(reference.min(initial=np.inf)))
        self.high = max(self.high, float(reference.max(initial=-np.inf)))

    @property
    def ratio(self) -> float | None:
        """SQNR in dB."""
        return decibels(self.signal, self.noise)

    def own(self) -> OwnNoise:
        """What the layer adds by itself."""
        parts = {
            Cause.WEIGHTS: self.weights,
            Cause.RANGE: self.rounding.range,
            Cause.RESOLUTION: self.rounding.resolution,
        }
        total = sum(parts.values())
        return OwnNoise(
            total_db=decibels(self.signal, total),
            weights_db=decibels(self.signal, parts[Cause.WEIGHTS]),
            range_db=decibels(self.signal, parts[Cause.RANGE]),
            resolution_db=decibels(self.signal, parts[Cause.RESOLUTION]),
            clipped=self.rounding.clipped / max(self.rounding.count, 1),
            cause=max(parts, key=lambda cause: parts[cause]) if total else None,
            share=total / self.noise if self.noise > 0 and np.isfinite(total) else None,
        )
