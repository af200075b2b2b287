"""Counting the float16 values that an instrumented graph gives, tensor by tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.histogram import BINS, Histogram
from edgeopt.calibration.table import ChannelStats, TensorStats
from edgeopt.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAN = slice(0x7C01, 0x8000), slice(0xFC01, 0x10000)
"""The bit patterns that are no numbers."""
_KEPT = 8
"""Samples whose codes are collected before they are counted: going through all bins for every small
tensor of every sample would cost more than the model."""
_LARGE = BINS * 4
"""Codes that are worth counting by themselves."""


@dataclass
class TensorCounter:
    """Counts one tensor.

    Args:
        name: The tensor's.
    """

    name: str
    _waiting: NDArray[np.uint16] = field(default_factory=lambda: np.empty(0, np.uint16))
    _ends: list[tuple[str, int]] = field(default_factory=list)
    _means: list[NDArray[np.floating]] = field(default_factory=list)
    _counts: NDArray[np.integer] = field(default_factory=lambda: np.zeros(0, np.uint32))
    _total: int = 0
    _channels: ChannelStats | None = None
    _samples: int = 0

    def add(self, halves: NDArray[np.float16], origin: str) -> None:
        """Take in one sample's values, of any shape.

        Raises:
            DataError: If one that was taken in is NaN; names its sample.
        """
        self._samples += 1
        codes = halves.view(np.uint16).reshape(-1)
        if codes.size > _LARGE:
            self._count(codes, [(origin, codes.size)])
            return
        start = self._filled
        if start + codes.size > self._waiting.size:
            self._flush()
            start = 0
            if codes.size > self._waiting.size:
                self._waiting = np.empty(min(_KEPT * codes.size, _LARGE), np.uint16)
        # A copy: what the runtime gave lies in its arena, which would grow by all that waits here.
        self._waiting[start : start + codes.size] = codes
        self._ends.append((origin, start + codes.size))

    def add_means(self, means: NDArray[np.floating]) -> None:
        """Take in one sample's means by channel, ``(C,)``."""
        self._means.append(means)

    def add_channels(self, found: ChannelStats) -> None:
        """Take in one sample's channels."""
        self._channels = found if self._channels is None else self._channels.merge(found)

    def stats(self) -> TensorStats:
        """What was counted.

        Raises:
            DataError: As :meth:`add`.
        """
        self._flush()
        return TensorStats(Histogram.of(self._counts), self._channels, self._samples)

    def _flush(self) -> None:
        if self._means:
            self.add_channels(ChannelStats.of_samples(np.stack(self._means)))
            self._means = []
        self._count(self._waiting[: self._filled], self._ends)
        self._ends = []

    @property
    def _filled(self) -> int:
        return self._ends[-1][1] if self._ends else 0

    def _count(self, codes: NDArray[np.uint16], ends: Sequence[tuple[str, int]]) -> None:
        """Count codes of several samples, each with where its own end."""
        counts = np.bincount(codes)
        if any(counts[part].any() for part in _NAN):
            raise self._not_a_number(codes, ends)
        self._total += codes.size
        # Half the memory, as long as no count can be larger.
        kind = np.uint32 if self._total < 1 << 32 else np.int64
        self._counts = _at_least(self._counts.astype(kind, copy=False), len(counts))
        self._counts[: len(counts)] += counts.astype(kind)

    def _not_a_number(
        self, codes: NDArray[np.uint16], ends: Sequence[tuple[str, int]]
    ) -> DataError:
        first = np.flatnonzero(np.isnan(codes.view(np.float16)))[0]
        origin = next(origin for origin, end in ends if first < end)
        return DataError(
            f"{origin}: the model's tensor {self.name!r} becomes NaN",
            hint="look at this sample, or at the model's float outputs for it",
        )


def _at_least(counts: NDArray[np.integer], length: int) -> NDArray[np.integer]:
    return counts if len(counts) >= length else np.pad(counts, (0, length - len(counts)))
