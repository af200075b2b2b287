"""Counting the float16 values that an instrumented graph gives, tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.histogram import BINS, Histogram
from edgeopt.calibration.table import ChannelStats, TensorStats
from edgeopt.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAN_CODES = np.r_[0x7C01:0x8000, 0xFC01:0x10000].astype(np.uint16)
_NAN = _NAN_CODES.astype(np.intp)
_KEPT = 32
"""Samples whose codes are collected before they are counted: going through 65,536 bins for every
small tensor of every sample would cost more than the model."""


@dataclass
class TensorCounter:
    """Counts one tensor.

    Args:
        name: The tensor's.
    """

    name: str
    _pending: list[tuple[NDArray[np.uint16], str]] = field(default_factory=list)
    _means: list[NDArray[np.floating]] = field(default_factory=list)
    _dense: NDArray[np.int64] | None = None
    _channels: ChannelStats | None = None
    _samples: int = 0

    def add(self, halves: NDArray[np.float16], origin: str) -> None:
        """Take in one sample's values, of any shape.

        Raises:
            DataError: If one that was taken in is NaN; names its sample.
        """
        codes = halves.view(np.uint16).reshape(-1)
        self._pending.append((codes, origin))
        self._samples += 1
        if len(self._pending) >= _KEPT or codes.size * len(self._pending) > BINS * 4:
            self._flush()

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
        dense = np.zeros(BINS, np.int64) if self._dense is None else self._dense
        return TensorStats(Histogram.of(dense), self._channels, self._samples)

    def _flush(self) -> None:
        if self._means:
            self.add_channels(ChannelStats.of_samples(np.stack(self._means)))
            self._means = []
        if not self._pending:
            return
        counts = np.bincount(np.concatenate([c for c, _ in self._pending]), minlength=BINS)
        if counts[_NAN].any():
            raise self._not_a_number()
        self._pending = []
        self._dense = counts if self._dense is None else self._dense + counts

    def _not_a_number(self) -> DataError:
        origin = next(o for codes, o in self._pending if np.isin(codes, _NAN_CODES).any())
        return DataError(
            f"{origin}: the model's tensor {self.name!r} becomes NaN",
            hint="look at this sample, or at the model's float outputs for it",
        )
