"""SmoothQuant: outlier channels of a matrix product's input handed on to its weights.

One scale serves all channels of an activation, while weights have one for each output. A channel
that reaches ten times farther than the others leaves them a tenth of the steps. Divided by a
factor, with the weights' row multiplied by it, the product stays what it was (Xiao 2022,
"SmoothQuant", section 4)::

    s_j = max|x_j|^a / max|w_j|^(1 - a)      geometric mean 1, between 0.01 and 100
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.hessians import Hessian
from edgeopt.calibration.ranges import Range
from edgeopt.calibration.table import ChannelStats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STRENGTH = 0.8
"""The exponent a: how much of the activations' spread goes to the weights. MiniLM's best of .5 to
1; transformers' outliers are too large for the paper's .5."""

LIMITS = (0.01, 100.0)
"""Keeps a channel that was hardly seen from being blown up when it is."""

OUTLIER = 3.0
"""How far beyond the median channel the farthest reaches before smoothing pays for itself."""

ENOUGH = 1000
"""Values seen of each channel before its extremes are believed. Smoothing divides all channels up
to one reach, and leaves none room for what wasn't seen: of a vector a sample, as classifiers have,
a few hundred samples clip what 16 bits should hold (magika: 33 dB, and 46 without)."""


def reach(channels: ChannelStats) -> Floats:
    """The largest absolute value of each channel, ``(C,)``.

    Args:
        channels: With extremes.
    """
    assert channels.low is not None
    assert channels.high is not None
    return np.maximum(-channels.low, channels.high).astype(np.float64).clip(0)


def has_outliers(channels: ChannelStats) -> bool:
    """Whether some channels reach much farther than most; False where extremes aren't known."""
    if channels.low is None or channels.high is None:
        return False
    largest = reach(channels)
    alive = largest[largest > 0]
    return bool(len(alive)) and float(alive.max()) > OUTLIER * float(np.median(alive))


def pays(channels: ChannelStats, values: int) -> bool:
    """Whether some channels reach much farther than most, and are known well enough to say so.

    Args:
        channels: False where their extremes aren't known.
        values: How many values were seen of each channel.
    """
    return values >= ENOUGH and has_outliers(channels)


def smoothing_factors(
    largest: Floats, weights: Sequence[NDArray[np.float32]], strength: float = STRENGTH
) -> Floats:
    """What each channel is divided by.

    A channel that was never anything but 0, or that all weights ignore, is left alone: nothing is
    known of it.

    Args:
        largest: The largest absolute value of each channel, ``(C,)``.
        weights: Of every product that reads it, ``(C, outputs)`` each.
        strength: The formula's exponent.

    Returns:
        Positive, ``(C,)``; float32 numbers.
    """
    rows = np.max([np.abs(w).max(axis=1, initial=0.0) for w in weights], axis=0).astype(np.float64)
    alive = (largest > 0) & (rows > 0)
    factors = np.ones(len(largest))
    logs = strength * np.log(largest[alive]) - (1 - strength) * np.log(rows[alive])
    factors[alive] = np.exp(logs - logs.mean()) if len(logs) else 1.0
    result: Floats = factors.clip(*LIMITS).astype(np.float32).astype(np.float64)
    return result


def smoothed(channels: ChannelStats, factors: Floats) -> ChannelStats:
    """What would have been seen of the tensor after its channels were divided, ``(C,)`` each."""
    assert channels.low is not None
    assert channels.high is not None
    return ChannelStats(
        np.rint(channels.sums / factors).astype(np.int64),
        channels.count,
        (channels.low / factors).astype(np.float32),
        (channels.high / factors).astype(np.float32),
    )


def smoothed_hessian(hessian: Hessian, factors: Floats) -> Hessian:
    """How the channels would have varied together: what rounding the multiplied weights needs.

    Args:
        hessian: Of one group, with K channels.
        factors: ``(K,)``.
    """
    rows, columns = np.triu_indices(len(factors))
    products = hessian.products / (factors[rows] * factors[columns])
    return Hessian(products.astype(np.float32), hessian.means / factors, hessian.count)


def whole_range(channels: ChannelStats) -> Range:
    """The range over all channels, from the least to the greatest value."""
    assert channels.low is not None
    assert channels.high is not None
    return Range(
        low=min(0.0, float(channels.low.min(initial=0.0))),
        high=max(0.0, float(channels.high.max(initial=0.0))),
    )
