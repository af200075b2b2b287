"""The calibration table: what is remembered of a float graph's activations.

Ranges are chosen from it by any method and for any target without running the model again. All in
it that ranges come from is a count or a sum of integers, so tables of parts merge to the table of
the whole, bit for bit, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.shares import counted_twice, joined_records
from edgeopt.core.errors import DataError
from edgeopt.core.manifest import DataRecord
from edgeopt.core.record import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.calibration.hessians import Hessian

SCHEMA = 2
UNIT = 2.0**-24
"""The step of float16's smallest numbers: means are counted in it."""


class Sampling(StrEnum):
    """Which elements of a sample's activations are counted.

    ``exact``: every one. ``part``: at least 4,096 of each image tensor, every one of the others.
    ``groups``: the same, but each sample shows a quarter of the tensors only, by its content.
    """

    EXACT = "exact"
    PART = "part"
    GROUPS = "groups"


class Making(Record, frozen=True):
    """What decides a table's bits, apart from the float graph and the samples.

    Args:
        runtime: The runtime's name and version.
        level: Its graph optimizations.
        cpu: The processor's architecture and the features that choose float kernels.
        sampling: Which elements were counted.
        strides: The stride at which image tensors were sampled, where it isn't 1.
        padding: The input that masks padding tokens, which aren't counted; empty if there is none.
    """

    runtime: str
    level: str
    cpu: str
    sampling: Sampling
    strides: dict[str, int]
    padding: str = ""


class TableHeader(Record, frozen=True):
    """What a table belongs to and how it was made.

    Args:
        graph_sha256: The float graph's canonical digest.
        samples: How many samples were observed; all that were read are.
        makings: How; several if unlike tables were merged.
        data: The samples, by the data they are of.
        schema: Of the file.
    """

    graph_sha256: str
    samples: int
    makings: tuple[Making, ...]
    data: tuple[DataRecord, ...] = ()
    schema: int = SCHEMA


@dataclass(frozen=True, eq=False)
class ChannelStats:
    """Of each channel of a tensor that a convolution or matrix product reads.

    Args:
        sums: Sums over the samples of each one's mean, in units of 2^-24, ``(C,)`` int64. Integers,
            so that no order of adding changes them.
        count: How many samples.
        low: The least value of each, ``(C,)`` float32; None for images, where nothing is smoothed.
        high: The greatest.
    """

    sums: NDArray[np.int64]
    count: int
    low: NDArray[np.float32] | None = None
    high: NDArray[np.float32] | None = None

    @staticmethod
    def of(
        means: NDArray[np.floating],
        low: NDArray[np.float32] | None = None,
        high: NDArray[np.float32] | None = None,
    ) -> ChannelStats:
        """From one sample's, ``(C,)`` each."""
        return replace(ChannelStats.of_samples(means[np.newaxis]), low=low, high=high)

    @staticmethod
    def of_samples(means: NDArray[np.floating]) -> ChannelStats:
        """From the means of several samples, ``(N, C)``; those too large to count are left at 0."""
        wide = np.asarray(means, np.float64) / UNIT
        units = np.where(np.abs(wide) < 2.0**53, np.rint(wide), 0).astype(np.int64)
        return ChannelStats(units.sum(0), len(means))

    @property
    def means(self) -> NDArray[np.float64]:
        """``(C,)``."""
        return self.sums.astype(np.float64) * UNIT / max(self.count, 1)

    def merge(self, other: ChannelStats) -> ChannelStats:
        """Both together; exact."""
        low, high = self.low, self.high
        if low is not None and high is not None and other.low is not None:
            assert other.high is not None
            low, high = np.minimum(low, other.low), np.maximum(high, other.high)
        return ChannelStats(self.sums + other.sums, self.count + other.count, low, high)


@dataclass(frozen=True, eq=False)
class TensorStats:
    """What is remembered of one tensor.

    Args:
        histogram: Of its elements.
        channels: Of its channels, where weights read it.
        samples: How many samples it was seen in; fewer than the table's where they take turns.
    """

    histogram: Histogram
    channels: ChannelStats | None = None
    samples: int = 0

    def merge(self, other: TensorStats) -> TensorStats:
        """Both together; exact. Channels that one side saw no sample of are the other's."""
        channels = self.channels or other.channels
        if self.channels is not None and other.channels is not None:
            channels = self.channels.merge(other.channels)
        histogram = self.histogram.merge(other.histogram)
        return TensorStats(histogram, channels, self.samples + other.samples)


@dataclass(frozen=True, eq=False)
class CalibrationTable:
    """Statistics of one float graph.

    Args:
        header: What it belongs to.
        tensors: By tensor name.
        hessians: By node name, of layers whose rounding they guide; made on request.
    """

    header: TableHeader
    tensors: dict[str, TensorStats]
    hessians: dict[str, Hessian] = field(default_factory=dict)

    def merge(self, other: CalibrationTable) -> CalibrationTable:
        """The table of both sets of samples.

        Raises:
            DataError: If the other is a table of another graph.
        """
        if self.header.graph_sha256 != other.header.graph_sha256:
            raise DataError(
                "the calibration tables belong to different float graphs",
                hint="merge tables of the same model, made by the same version of EdgeOpt",
            )
        assert self.tensors.keys() == other.tensors.keys(), "the graph decides what is observed"
        return CalibrationTable(
            _merged_headers(self.header, other.header),
            {name: stats.merge(other.tensors[name]) for name, stats in self.tensors.items()},
            _merged_hessians(self.hessians, other.hessians),
        )

    @property
    def sampling(self) -> Sampling:
        """The coarsest sampling of any part."""
        return max((m.sampling for m in self.header.makings), key=list(Sampling).index)

    @property
    def complete(self) -> bool:
        """Whether every element of every tensor was counted: extremes are exact only then."""
        return self.sampling is not Sampling.GROUPS and not any(
            making.strides for making in self.header.makings
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of ranges chosen from it should know."""
        makings = self.header.makings
        unlike = [
            f"{field} ({', '.join(sorted(values))})"
            for field in ("runtime", "level", "cpu", "sampling")
            if len(values := {str(getattr(making, field)) for making in makings}) > 1
        ]
        found = []
        if unlike:
            found.append(
                f"the calibration table's parts were made with unlike {' and '.join(unlike)}: "
                "no one machine can make it again bit for bit"
            )
        found += [
            f"the calibration table counts samples of {location} more than once"
            for location in counted_twice(self.header.data)
        ]
        return tuple(found)


def _merged_headers(one: TableHeader, two: TableHeader) -> TableHeader:
    makings = {msgspec.json.encode(m, order="sorted"): m for m in (*one.makings, *two.makings)}
    return TableHeader(
        graph_sha256=one.graph_sha256,
        samples=one.samples + two.samples,
        makings=tuple(makings[key] for key in sorted(makings)),
        data=joined_records((*one.data, *two.data)),
    )


def _merged_hessians(one: dict[str, Hessian], two: dict[str, Hessian]) -> dict[str, Hessian]:
    merged = {**two, **one}
    for name in one.keys() & two.keys():
        merged[name] = one[name].merge(two[name])
    return {name: merged[name] for name in sorted(merged)}
