"""One line of a history: a comparison, in as few words as later ones need."""

from __future__ import annotations

import math
from typing import Literal

from edgeopt.benchmarks.device.statistics import t_quantile
from edgeopt.benchmarks.gate.verdict import Comparison, Side, Verdict
from edgeopt.benchmarks.result import Ratio
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record


class EntrySide(Record, frozen=True):
    """One of the two artifacts.

    Args:
        artifact: As the user named it.
        sha256: Its digest.
        size_bytes: Its size.
        format: What it is.
        precision: From its manifest; None without one.
        q10_ms: The 10th percentile of its calls, in ms; for reading, not for comparing.
    """

    artifact: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision | None
    q10_ms: float | None


class Entry(Record, frozen=True):
    """A comparison.

    Args:
        at: When, in UTC, as ISO 8601 has it.
        label: What the user knows it by: a commit, mostly.
        target: Where it was measured.
        cpu: The processor; "" if that isn't known.
        threads: Threads within an operator.
        batch: Samples a call.
        verdict: Of the whole.
        ratio: The candidate's latency over the baseline's.
        baseline: One artifact.
        candidate: The other.
    """

    at: str
    label: str
    target: str
    cpu: str
    threads: int
    batch: int
    verdict: Verdict
    ratio: Ratio
    baseline: EntrySide
    candidate: EntrySide
    schema: Literal["edgeopt.history/1"] = "edgeopt.history/1"

    @property
    def error(self) -> float:
        """The standard error of ``ln`` of the ratio, as its interval has it."""
        half = math.log(self.ratio.high / self.ratio.low) / 2
        return half / t_quantile(self.ratio.confidence, self.ratio.processes - 1)

    @property
    def series(self) -> tuple[object, ...]:
        """What has to be equal for two entries to be about the same thing."""
        made = self.candidate.format, self.candidate.precision
        return (self.target, self.threads, self.batch, *made)


def entry_of(found: Comparison, label: str, at: str) -> Entry:
    """The line of a comparison.

    Args:
        found: The comparison.
        label: What it is to be known by.
        at: When it was.
    """
    return Entry(
        at=at,
        label=label,
        target=found.target,
        cpu=found.machine.cpu.value or "",
        threads=found.threads,
        batch=found.batch,
        verdict=found.verdict,
        ratio=found.ratio,
        baseline=_side(found.baseline),
        candidate=_side(found.candidate),
    )


def _side(side: Side) -> EntrySide:
    return EntrySide(
        artifact=side.artifact,
        sha256=side.sha256,
        size_bytes=side.size_bytes,
        format=side.format,
        precision=side.precision,
        q10_ms=side.latency.q10,
    )
