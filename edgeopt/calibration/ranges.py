"""Choosing a tensor's range from its histogram, without running the model again.

==============  ====================================================================================
min-max         from the least value seen to the greatest
percentile      leaves out a share of the values at each end
entropy         least Kullback-Leibler divergence between the values and what 8 bits leave of them
                (Migacz 2017, "8-bit inference with TensorRT")
l2, l2.4        least mean error to the power p over clipping and rounding together
==============  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.table import CalibrationTable
from edgeopt.core.ir import ir
from edgeopt.core.record import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_STEPS = 256
_SHRINKS = np.linspace(1.0, 0.25, 31)
"""Candidates: each end as a share of the extreme."""


class RangeMethod(StrEnum):
    """How a range is chosen; the value is its name on the command line."""

    MIN_MAX = "min-max"
    PERCENTILE = "percentile"
    ENTROPY = "entropy"
    L2 = "l2"
    L24 = "l2.4"


class Range(Record, frozen=True):
    """The real values a tensor's integers must cover; always holds 0.

    Zero is included so that it is encoded exactly: padding and clamping rely on it.

    Args:
        low: The least of them, at most 0.
        high: The largest of them, at least 0.
    """

    low: float
    high: float


def choose_range(
    histogram: Histogram, method: RangeMethod, *, symmetric: bool = False, percentile: float = 99.99
) -> Range:
    """Choose one tensor's range.

    Args:
        histogram: At least one finite value.
        method: How.
        symmetric: Whether the encoding will be: the range then is too.
        percentile: For that method: the share kept, in percent.
    """
    low, high = min(0.0, float(histogram.sorted[0][0])), max(0.0, float(histogram.sorted[0][-1]))
    if symmetric:
        low, high = -max(-low, high), max(-low, high)
    if method is RangeMethod.MIN_MAX or low == high:
        return Range(low=low, high=high)
    if method is RangeMethod.PERCENTILE:
        return _percentile(histogram, percentile, symmetric)
    # Zeros are exact whatever the range; a spike of them would hide every other difference.
    values, counts = histogram.without_zeros().coarse()
    return _search(values, counts, low, high, _LOSSES[method], symmetric)


def default_method(graph: ir.Graph) -> RangeMethod:
    """The method for a net, where the user names none.

    Nets that convolve images gain from clipping a little (p = 2.4). In transformers and nets for
    sound what is clipped is what matters: silero-vad loses 5 dB by it.
    """
    return RangeMethod.L24 if convolves_images(graph) else RangeMethod.MIN_MAX


def convolves_images(graph: ir.Graph) -> bool:
    """Whether a net's samples are images."""
    return any(node.op_type == "Conv" and _rank(node.inputs[1]) == 4 for node in graph)


def _rank(weight: ir.Value | None) -> int:
    return len(weight.shape) if weight is not None and weight.shape is not None else 0


def choose_ranges(
    table: CalibrationTable, method: RangeMethod, *, symmetric: bool = False
) -> dict[str, Range]:
    """The range of every tensor that has a usable one."""
    return {
        name: choose_range(stats.histogram, method, symmetric=symmetric)
        for name, stats in table.tensors.items()
        if usable(stats.histogram)
    }


def usable(histogram: Histogram) -> bool:
    """Whether a tensor can have a range: something was seen, and nothing beyond float16.

    A tensor that reaches that far is a mask or an overflow, not an activation: an attention mask
    puts -3.4e38 into a sum, and 8 bits over that range leave nothing of the rest.
    """
    return histogram.total > 0 and histogram.beyond == 0


def _percentile(histogram: Histogram, percent: float, symmetric: bool) -> Range:
    values, counts = histogram.sorted
    if symmetric:
        order = np.argsort(np.abs(values))
        high = float(np.abs(values)[order][_place(counts[order], percent / 100)])
        return Range(low=-high, high=high)
    left = float(values[_place(counts, 1 - percent / 100)])
    right = float(values[_place(counts, percent / 100)])
    return Range(low=min(0.0, left), high=max(0.0, right))


def _place(counts: NDArray[np.int64], share: float) -> int:
    # The first value that at least this share of all lies at or below.
    cumulative = np.cumsum(counts)
    return int(np.searchsorted(cumulative, share * cumulative[-1]))


Loss = Callable[["Array", "Array", "Array", "Array"], "Array"]
"""Of values ``(k,)``, their counts and several ranges, the ends ``(n,)`` each: ``(n,)``."""


def _search(
    values: Array, counts: Array, low: float, high: float, loss: Loss, symmetric: bool
) -> Range:
    """Shrink the ends, both together and then each alone, to the least loss."""

    def best(lows: Array, highs: Array) -> tuple[float, float]:
        least = int(loss(values, counts, lows, highs).argmin())
        return float(lows[least]), float(highs[least])

    a, b = best(low * _SHRINKS, high * _SHRINKS)
    if not symmetric and low < 0 < high:
        a, b = best(low * _SHRINKS, np.full_like(_SHRINKS, b))
        a, b = best(np.full_like(_SHRINKS, a), high * _SHRINKS)
    return Range(low=a, high=b)


def _quantized(values: Array, low: Array, high: Array) -> Array:
    scale = ((high - low) / (_STEPS - 1))[:, np.newaxis]
    zero = np.rint(-low[:, np.newaxis] / scale)
    result: Array = (np.clip(np.rint(values / scale) + zero, 0, _STEPS - 1) - zero) * scale
    return result


def _power_loss(power: float) -> Loss:
    def loss(values: Array, counts: Array, low: Array, high: Array) -> Array:
        error = np.abs(values - _quantized(values, low, high))
        result: Array = (counts * error**power).sum(1)
        return result

    return loss


def _divergence(values: Array, counts: Array, low: float, high: float) -> float:
    """KL(P || Q): P the values clipped, Q the same mass spread evenly within each step.

    Infinite where most would be clipped: of next to nothing Q is always a perfect likeness.
    """
    inside = (values >= low) & (values <= high)
    total, p = counts.sum(), counts[inside]
    if 2 * p.sum() < total:
        return np.inf
    steps = np.rint((values[inside] - low) / (high - low) * (_STEPS - 1)).astype(np.int64)
    kept, occupied = np.bincount(steps, p), np.bincount(steps)
    q = kept[steps] / occupied[steps]
    # What is clipped adds to P's ends, but not to what Q is made of: that is what it costs.
    p[0] += counts[values < low].sum()
    p[-1] += counts[values > high].sum()
    p /= total
    return float((p * np.log(p / (q / q.sum()))).sum())


def _divergences(values: Array, counts: Array, low: Array, high: Array) -> Array:
    return np.array([_divergence(values, counts, *ends) for ends in zip(low, high, strict=True)])


_LOSSES: dict[RangeMethod, Loss] = {
    RangeMethod.L2: _power_loss(2.0),
    RangeMethod.L24: _power_loss(2.4),
    RangeMethod.ENTROPY: _divergences,
}
