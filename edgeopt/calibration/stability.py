"""How far two distributions of values are apart: has the data drifted?

Both figures compare shares of values, not numbers of samples: what lies within a sample hangs
together, so the significance that textbooks attach to them would be far too great. They are
effect sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.histogram import Histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODERATE, LARGE = 0.1, 0.25
"""What a population stability index means by custom: below the one nothing moved, from the other on
what was built on the reference should be built again (N. Siddiqi, Credit Risk Scorecards, 2006)."""

BINS = 10
_LEAST = 1e-4
"""The share that a bin without values is taken to have: the logarithm of 0 says nothing."""


def psi(reference: Histogram, other: Histogram, bins: int = BINS) -> float:
    """The population stability index of two histograms; 0 where they are the same.

    Over bins that each hold about the same share of the reference,
    ``sum (p - q) ln(p / q)``: Jeffreys's divergence, which E. M. Lewis (An Introduction to Credit
    Scoring, 1994) brought into practice by that name.

    Args:
        reference: What was expected; it decides the bins.
        other: What was found.
        bins: How many. Values that make up more than a bin's share, as black pixels do, have one to
            themselves.

    Returns:
        0 or more; 0 where one of them is empty.
    """
    values, counts = reference.sorted
    if not len(values) or not other.total:
        return 0.0
    edges = _edges(values, counts, bins)
    return index(_binned(reference, edges), _binned(other, edges))


def index(reference: NDArray[np.integer], other: NDArray[np.integer]) -> float:
    """The same of counts in the same bins, ``(k,)`` each; symmetric in the two."""
    p, q = (np.maximum(each / max(each.sum(), 1), _LEAST) for each in (reference, other))
    return float(((p - q) * np.log(p / q)).sum())


def ks(one: Histogram, other: Histogram) -> float:
    """Kolmogorov and Smirnov's statistic: the largest difference of the cumulative shares.

    From 0, where the two are the same, to 1, where one ends before the other begins; 0 where one of
    them is empty.
    """
    if not one.total or not other.total:
        return 0.0
    points = np.union1d(one.sorted[0], other.sorted[0])
    return float(np.abs(_cumulative(one, points) - _cumulative(other, points)).max(initial=0.0))


def outside(reference: Histogram, other: Histogram) -> float:
    """The share of ``other``'s values that lie beyond all of the reference's."""
    held, counts = reference.sorted[0], other.sorted[1]
    if not len(held) or not len(counts):
        return 0.0
    values = other.sorted[0]
    beyond = (values < held[0]) | (values > held[-1])
    return float(counts[beyond].sum() / counts.sum())


def _edges(
    values: NDArray[np.float64], counts: NDArray[np.int64], bins: int
) -> NDArray[np.float64]:
    """The upper ends of all bins but the last, each one of the values."""
    shares = np.cumsum(counts) / counts.sum()
    places = np.searchsorted(shares, np.arange(1, bins) / bins)
    return np.unique(values[np.minimum(places, len(values) - 1)])


def _binned(histogram: Histogram, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    values, counts = histogram.sorted
    found = np.zeros(len(edges) + 1, np.int64)
    np.add.at(found, np.searchsorted(edges, values), counts)
    return found


def _cumulative(histogram: Histogram, points: NDArray[np.float64]) -> NDArray[np.float64]:
    values, counts = histogram.sorted
    sums = np.concatenate([[0], np.cumsum(counts)])
    shares: NDArray[np.float64] = sums[np.searchsorted(values, points, side="right")] / sums[-1]
    return shares
