"""Which samples, and how much of each, are looked at for what."""

from __future__ import annotations

from edgeopt.calibration.ranges import RangeMethod
from edgeopt.calibration.table import Sampling
from edgeopt.core.effort import Effort

ENOUGH = 32
"""Samples that corrections and rounding look at: more bring nothing measurable
(EfficientNet-Lite0: 8/16/32/64/128 samples give 23.6/24.6/25.3/25.3/25.4 dB)."""

ENOUGH_TEXTS = 128
"""The same for rounding where a sample isn't an image but a short text or sound: it shows a layer
some tens of inputs, not hundreds (MiniLM: 64 in place of 32 samples bring 0.3 to 1 dB a layer)."""

TURNS_FROM = {Effort.FAST: 64, Effort.DEFAULT: 128, Effort.HIGH: 128}
"""With fewer samples, tensors that take turns would be seen in too few of them."""


def sampling_for(ranges: RangeMethod, effort: Effort, samples: int) -> Sampling:
    """Which elements of activations are counted.

    Args:
        ranges: How they are to be chosen; a part of a tensor lacks its extremes.
        effort: What the table is to serve.
        samples: How many there are in all the data.
    """
    if ranges is RangeMethod.MIN_MAX:
        return Sampling.EXACT
    return Sampling.GROUPS if samples >= TURNS_FROM[effort] else Sampling.PART


def chosen(start: int, stop: int, total: int, most: int = ENOUGH) -> list[int]:
    """Which samples of ``[start, stop)`` corrections and rounding look at.

    They are spread over all ``total`` samples evenly, so that shares of the data choose together
    what the whole would.

    >>> chosen(0, 4, 4)
    [0, 1, 2, 3]
    >>> chosen(64, 128, 128)[:3]
    [66, 70, 74]
    """
    count = min(most, total)
    places = ((2 * i + 1) * total // (2 * count) for i in range(count))
    return [place for place in places if start <= place < stop]
