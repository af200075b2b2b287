"""Columns of unlike scale that share one: boxes of 0 to 640 beside scores of 0 to 1.

A step that is fine enough for the boxes leaves nothing of the scores, and the SQNR of the whole
output doesn't show it: the boxes are nearly all of its power.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.core.manifest import Encoding
from edgeopt.pipeline.diagnosis.noise import decibels
from edgeopt.pipeline.diagnosis.points import Point
from edgeopt.pipeline.diagnosis.records import ColumnGroup, UnlikeScales

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Sums = NDArray[np.float64]

UNLIKE = 16.0
"""Between the scales of two groups: it leaves the smaller one 4 of 8 bits."""

_DEAD = 1e-5
"""Columns below this share of the largest are taken for unused ones."""

_MOST = 4096
"""An axis longer than this is one of positions, not of columns."""


@dataclass
class _Axis:
    largest: Sums
    signal: Sums
    noise: Sums


class ByColumn:
    """Sums of one tensor for each column of each of its axes."""

    def __init__(self) -> None:
        self.axes: dict[int, _Axis] = {}
        self._shape: tuple[int, ...] | None = None

    def add(self, reference: Floats, found: Floats) -> None:
        """Add one sample; axis 0 is the batch."""
        if self._shape is None:
            self._shape = reference.shape[1:]
            sizes = enumerate(reference.shape[1:], 1)
            self.axes = {
                axis: _Axis(*(np.zeros(size) for _ in range(3)))
                for axis, size in sizes
                if 2 <= size <= _MOST
            }
        if reference.shape[1:] != self._shape:
            self.axes = {}  # positions that differ from sample to sample can't be told apart
        for axis, sums in self.axes.items():
            others = tuple(a for a in range(reference.ndim) if a != axis)
            error = reference - found
            sums.largest = np.maximum(sums.largest, np.abs(reference).max(others))
            sums.signal += np.square(reference, dtype=np.float64).sum(others)
            sums.noise += np.square(error, dtype=np.float64).sum(others)

    def groups(self) -> tuple[int, ColumnGroup, ColumnGroup] | None:
        """The axis whose columns are furthest apart, the large ones and the small ones.

        None where no gap between them is as wide as :data:`UNLIKE`.
        """
        gaps = {axis: _widest_gap(sums.largest) for axis, sums in self.axes.items()}
        axis = max(gaps, key=lambda a: gaps[a][0], default=None)
        if axis is None or gaps[axis][0] < UNLIKE:
            return None
        _, bound = gaps[axis]
        sums = self.axes[axis]
        large = sums.largest >= bound
        small = ~large & (sums.largest > _DEAD * sums.largest.max())
        return axis, _group(sums, large), _group(sums, small)


def find_unlike(
    points: Iterable[Point], columns: dict[str, ByColumn], encodings: dict[str, Encoding]
) -> tuple[UnlikeScales, ...]:
    """The tensors on their way out that have columns of unlike scale."""
    found = []
    for point in points:
        split = columns[point.tensor].groups() if point.tensor in columns else None
        if split is None:
            continue
        axis, large, small = split
        found.append(
            UnlikeScales(
                tensor=point.tensor,
                node=point.node,
                outputs=point.outputs,
                axis=axis,
                scale=encodings[point.tensor].scale[0],
                large=large,
                small=small,
            )
        )
    return tuple(found)


def _widest_gap(largest: Sums) -> tuple[float, float]:
    """The widest ratio between neighbours in size, and the smallest value above it."""
    alive = np.sort(largest[largest > _DEAD * largest.max(initial=0)])
    if len(alive) < 2:
        return 1.0, 0.0
    ratios = alive[1:] / alive[:-1]
    at = int(ratios.argmax())
    return float(ratios[at]), float(alive[at + 1])


def _group(sums: _Axis, chosen: NDArray[np.bool_]) -> ColumnGroup:
    signal, noise = float(sums.signal[chosen].sum()), float(sums.noise[chosen].sum())
    return ColumnGroup(
        columns=_runs(np.flatnonzero(chosen)),
        largest=float(sums.largest[chosen].max()),
        sqnr_db=decibels(signal, noise),
    )


def _runs(indices: NDArray[np.intp]) -> tuple[tuple[int, int], ...]:
    """``[0, 1, 2, 7]`` as ``((0, 3), (7, 8))``."""
    parts = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
    return tuple((int(part[0]), int(part[-1]) + 1) for part in parts if len(part))
