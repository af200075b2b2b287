"""Histograms whose bins are the float16 bit patterns.

No range need be known beforehand, one absurd value costs one bin, and counts are integers: tables
merge exactly, in any order. Half precision places 1,024 bins in each power of two, far finer than
the 256 steps that a range is cut into.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 1 << 16
_VALUES = np.arange(BINS, dtype=np.uint16).view(np.float16)
_FINITE = np.isfinite(_VALUES)
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each float16 was seen.

    Args:
        codes: The bit patterns that were, ascending, ``(k,)`` uint16.
        counts: How often, ``(k,)`` int64.
    """

    codes: NDArray[np.uint16]
    counts: NDArray[np.int64]

    @staticmethod
    def of(dense: NDArray[np.integer]) -> Histogram:
        """From counts by bit pattern, ``(65536,)`` or up to the largest that was seen."""
        codes = np.flatnonzero(dense)
        return Histogram(codes.astype(np.uint16), dense[codes].astype(np.int64))

    @staticmethod
    def of_values(values: NDArray[np.floating]) -> Histogram:
        """From values of any shape, rounded to float16."""
        with np.errstate(over="ignore"):
            halves = np.ascontiguousarray(values, dtype=np.float16).reshape(-1)
        return Histogram.of(np.bincount(halves.view(np.uint16), minlength=BINS))

    def merge(self, other: Histogram) -> Histogram:
        """Both together; exact, associative and commutative."""
        codes, places = np.unique(np.concatenate([self.codes, other.codes]), return_inverse=True)
        counts = np.zeros(len(codes), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return Histogram(codes, counts)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Histogram)
            and np.array_equal(self.codes, other.codes)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    @property
    def beyond(self) -> int:
        """How many were NaN, infinite, or too large for float16 (beyond 65504)."""
        return int(self.counts[~_FINITE[self.codes]].sum())

    @cached_property
    def sorted(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The finite values, ascending, and their counts; -0 counts as 0."""
        kept = _FINITE[self.codes]
        values = _VALUES[self.codes[kept]].astype(np.float64) + 0.0
        order = np.argsort(values, kind="stable")
        return values[order], self.counts[kept][order]

    def without_zeros(self) -> Histogram:
        """All but the zeros, which every encoding holds exactly."""
        kept = (self.codes & 0x7FFF) != 0
        return Histogram(self.codes[kept], self.counts[kept])

    def coarse(self, bins: int = 1024) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """At most ``bins`` points for searches: equal bins from the least to the greatest value.

        Returns:
            The mean value in each occupied bin, and its count as float64.
        """
        values, counts = self.sorted
        if len(values) <= bins:
            return values, counts.astype(np.float64)
        edges = np.linspace(values[0], values[-1], bins + 1)
        places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
        weight = np.bincount(places, counts, bins).astype(np.float64)
        mass = np.bincount(places, counts * values, bins)
        kept = weight > 0
        return mass[kept] / weight[kept], weight[kept]
