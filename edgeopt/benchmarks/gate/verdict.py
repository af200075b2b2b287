"""What a gate says of a candidate, and of each thing that it checks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from edgeopt.benchmarks.conditions import Conditions, Machine
from edgeopt.benchmarks.gate.chain import Drift
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.benchmarks.result import Kind, Latency, Ratio
from edgeopt.core.manifest import DataRecord
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record


class Verdict(StrEnum):
    """What became of a comparison, the worst last."""

    PASS = "pass"  # noqa: S105 - no password
    INCONCLUSIVE = "inconclusive"
    UNFIT = "unfit"
    """The machine can't tell: a copy of the baseline differs, or something holds it back."""
    REGRESSION = "regression"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of the whole.

    An unfit machine says nothing of time; of size and accuracy it does, so a regression in one of
    those comes before.
    """
    order = list(Verdict)
    return max(verdicts, key=order.index, default=Verdict.PASS)


class Check(Record, frozen=True):
    """One thing that was checked.

    Args:
        name: ``latency``, ``p99``, ``median``, ``memory``, ``size``, ``load``, ``accuracy``,
            ``sqnr``, ``agreement``, ``drift``.
        verdict: What became of it.
        budget: What was allowed, as the user wrote it.
        unit: Of the figures: ``ms``, ``bytes``, ``dB``, ``share``.
        baseline: The baseline's figure; None where there is none.
        candidate: The candidate's.
        change: The ratio for ``latency``; how far ``accuracy`` fell, as a share.
        why: Of a verdict that isn't a pass.
        source: Where the budget is from: ``option``, ``default``, or a file's or profile's name.
    """

    name: str
    verdict: Verdict
    budget: str
    unit: str
    baseline: float | None = None
    candidate: float | None = None
    change: Interval | None = None
    why: str = ""
    source: str = ""


class Side(Record, frozen=True):
    """One of the two artifacts.

    Args:
        artifact: The file, as the user named it.
        sha256: Its digest.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        precision: From its manifest; None without one.
        runtime: What ran it.
        latency: Of its calls, in ms, over all processes.
    """

    artifact: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision | None
    runtime: RuntimeRecord
    latency: Latency


class ProcessRatios(Record, frozen=True):
    """What one process found, as ratios of latencies.

    Args:
        candidate: The candidate's over the geometric mean of the baseline's two.
        copy: The copy's over the baseline's.
    """

    candidate: float
    copy: float


class DeviceRecord(Record, frozen=True):
    """The device that a comparison was made on.

    Args:
        address: Where it is.
        lock: The file that kept other measurements away meanwhile, and what stood in it; empty
            where the system has none.
    """

    address: str
    lock: str


class Comparison(Record, frozen=True):
    """A candidate beside its baseline.

    Args:
        verdict: Of the whole: the worst of the checks.
        checks: All of them, latency first.
        baseline: One artifact.
        candidate: The other.
        ratio: The candidate's latency over the baseline's, with the interval of the look at which
            it was decided.
        copy: The same of a copy of the baseline: how far the machine can tell.
        detectable: The smallest slowdown that would have been called a regression four times in
            five, as a ratio: 1.034.
        processes: How many processes there were.
        seconds: How long all of it took.
        kind: Measured; emulated latencies are refused.
        target: Where: ``host``, or the name of the device's profile.
        threads: Threads within an operator.
        batch: Samples a call.
        inputs: What both were timed with.
        machine: What it ran on.
        before: The machine's state before.
        after: The machine's state after.
        notes: What a reader should know, one sentence each.
        ratios: Of each process, in the order in which they ran.
        device: How the device was reached; None on this machine.
        drift: What it adds up to with those before it; None without a history.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    baseline: Side
    candidate: Side
    ratio: Ratio
    copy: Ratio
    detectable: float
    processes: int
    seconds: float
    kind: Kind
    target: str
    threads: int
    batch: int
    inputs: DataRecord
    machine: Machine
    before: Conditions
    after: Conditions
    notes: tuple[str, ...] = ()
    ratios: tuple[ProcessRatios, ...] = ()
    device: DeviceRecord | None = None
    drift: Drift | None = None
    schema: Literal["edgeopt.compare/1"] = "edgeopt.compare/1"
