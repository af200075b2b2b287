"""What native programs tell of a process's calls, and what follows for all processes together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from edgeopt.benchmarks.device.statistics import latency
from edgeopt.benchmarks.result import Latency
from edgeopt.core.record import Record


class Spread(Record, frozen=True):
    """A process's calls, summed up by the program itself; in ms.

    Args:
        count: How many.
        mean: Their mean.
        stdev: Their standard deviation.
        min: The fastest.
        max: The slowest.
        median: Their median; None from programs that don't give it.
    """

    count: int
    mean: float
    stdev: float
    min: float
    max: float
    median: float | None = None


class Process(Record, frozen=True):
    """What a process of a native program told.

    Args:
        load_ms: Time to load the artifact, in ms.
        first_ms: The first call, in ms; None where the program doesn't tell.
        warmup_calls: Untimed calls after that.
        warmup_seconds: How long they took, in s.
        calls: The timed calls, summed up.
        ns: The time of each, in ns; None where the program doesn't tell.
        peak_bytes: The most memory the process held; None where the program doesn't tell.
        provider: What it computed on, in its own words.
    """

    load_ms: float
    first_ms: float | None
    warmup_calls: int
    warmup_seconds: float
    calls: Spread
    ns: tuple[int, ...] | None = None
    peak_bytes: int | None = None
    provider: str = "CPU"


def joined(processes: Sequence[Process], why: str) -> Latency:
    """All processes' calls as one.

    Args:
        processes: At least one.
        why: Why there are no percentiles, where the program gives none.
    """
    each = [process.ns for process in processes]
    whole = [list(ns) for ns in each if ns]
    if len(whole) == len(each):
        return msgspec.convert(latency(whole), Latency)
    spreads = [process.calls for process in processes]
    count = sum(s.count for s in spreads)
    mean = sum(s.count * s.mean for s in spreads) / count
    # The sum of squares within processes and that between them.
    squares = sum((s.count - 1) * s.stdev**2 + s.count * (s.mean - mean) ** 2 for s in spreads)
    medians = [s.median for s in spreads if s.median is not None]
    return Latency(
        count=count,
        mean=mean,
        stdev=math.sqrt(squares / (count - 1)) if count > 1 else 0.0,
        min=min(s.min for s in spreads),
        max=max(s.max for s in spreads),
        q10=None,
        p50=_middle(medians) if len(medians) == len(spreads) else None,
        p90=None,
        p99=None,
        process_q10=(),
        process_typical=tuple(map(typical, processes)),
        absent=why,
    )


def typical(process: Process) -> float:
    """What a call takes, in ms: the median, or the mean where the program gives no median.

    A median of 0 whole us says less than the mean.
    """
    return process.calls.median or process.calls.mean


def _middle(values: Sequence[float]) -> float:
    """The median of the processes' medians: theirs together can't be known from them."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
