"""Channels of a tensor that are much larger than the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.pipeline.diagnosis.records import Channels, OutlierChannel

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTLIER = 8.0
"""A channel this many times as large as the median one leaves it 5 of 8 bits."""

_NAMED = 8


def channel_axis(rank: int, op: str) -> int | None:
    """The axis of an activation's channels; None for a tensor without any.

    Args:
        rank: Its number of dimensions.
        op: The operator that it comes from, as a point names it.
    """
    if rank < 2:
        return None
    return 1 if rank == 4 or op.startswith("Conv") else rank - 1


class LargestByChannel:
    """The largest absolute value of each channel, over all samples."""

    def __init__(self, axis: int | None) -> None:
        self.axis = axis
        self.largest: NDArray[np.floating] | None = None

    def add(self, array: NDArray[np.floating]) -> None:
        """Add one sample; one with another number of channels ends it."""
        if self.axis is None or array.size == 0:
            return
        others = tuple(a for a in range(array.ndim) if a != self.axis)
        found = np.maximum(array.max(others), -array.min(others))
        if self.largest is None:
            self.largest = found
        elif self.largest.shape == found.shape:
            self.largest = np.maximum(self.largest, found)
        else:
            self.axis = self.largest = None

    def channels(self) -> Channels | None:
        """What was found; None for a tensor with fewer than four channels."""
        if self.axis is None or self.largest is None or len(self.largest) < 4:
            return None
        median = float(np.median(self.largest))
        ratios = self.largest / median if median > 0 else np.ones_like(self.largest)
        order = [int(i) for i in np.argsort(-ratios, kind="stable")[:_NAMED]]
        return Channels(
            axis=self.axis,
            count=len(self.largest),
            ratio=float(ratios[order[0]]),
            outliers=tuple(
                OutlierChannel(index=i, largest=float(self.largest[i]), ratio=float(ratios[i]))
                for i in order
                if ratios[i] >= OUTLIER
            ),
        )
