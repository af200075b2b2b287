"""How slow each candidate was beside the first baseline of its chain.

No two numbers from different days are compared: only ratios, each measured with both artifacts side
by side, are multiplied. Say B came out at 1.01 beside A and became the baseline, and C at 1.02
beside B: then C is 1.03 times as slow as A.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.history.entry import Entry


@dataclass(frozen=True)
class Point:
    """A comparison in its chain.

    Args:
        entry: The comparison.
        level: ``ln`` of the candidate's latency over that of the chain's first baseline.
        error: The standard error that this comparison added to it.
        before: The variance that those before it added, by which its baseline is linked to the
            first one.
    """

    entry: Entry
    level: float
    error: float
    before: float


@dataclass(frozen=True)
class _Known:
    """An artifact's place: its chain's number, its level in it, and that level's variance."""

    chain: int
    level: float
    variance: float


def last_chain(entries: Sequence[Entry]) -> list[Point]:
    """The chain that the last entry belongs to, the oldest first.

    Left out are entries of other targets, threads, batches, formats or precisions, and those in
    which the machine was unfit.

    Args:
        entries: A history.
    """
    series = entries[-1].series if entries else None
    fit = [e for e in entries if e.series == series and e.verdict is not Verdict.UNFIT]
    placed = [*_placed(fit)]
    return [point for chain, point in placed if chain == placed[-1][0]]


def _placed(entries: Sequence[Entry]) -> Iterator[tuple[int, Point]]:
    known: dict[str, _Known] = {}
    for number, entry in enumerate(entries):
        log, error = math.log(entry.ratio.point), entry.error
        baseline = known.setdefault(entry.baseline.sha256, _Known(number, 0.0, 0.0))
        level = baseline.level + log
        found = _Known(baseline.chain, level, baseline.variance + error**2)
        known.setdefault(entry.candidate.sha256, found)
        yield baseline.chain, Point(entry, level, error, baseline.variance)
