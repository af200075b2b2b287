"""What a benchmark found: frozen records that are also the JSON of files and of ``--json``."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.core.manifest import DataRecord, Verification
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record

SCHEMA: Literal["edgeopt.benchmark/1"] = "edgeopt.benchmark/1"


class Kind(StrEnum):
    """What a figure is; the three are never mixed."""

    MEASURED = "measured"
    EMULATED = "emulated"
    ESTIMATED = "estimated"


class Latency(Record, frozen=True):
    """How long a call takes, in ms, over all calls of all processes.

    Args:
        count: Calls timed.
        mean: Their mean.
        stdev: Their standard deviation.
        min: The fastest.
        max: The slowest.
        q10: The 10th percentile; None where a native program timed the
            calls that gives none.
        p50: The median; likewise.
        p90: The 90th percentile; None below 64 calls.
        p99: The 99th percentile; None below 662 calls.
        process_q10: Each process's own 10th percentile; how far they differ is how far the machine
            can be trusted. Empty where there is no ``q10``.
        process_typical: Instead of them, each process's median, or its mean where its program gives
            no median.
        absent: Why percentiles are missing that the count of calls would allow.
    """

    count: int
    mean: float
    stdev: float
    min: float
    max: float
    q10: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    process_q10: tuple[float, ...]
    process_typical: tuple[float, ...] = ()
    absent: str | None = None

    @property
    def processes(self) -> tuple[float, ...]:
        """What a call takes in each process, in ms: by ``process_q10`` if it is known."""
        return self.process_q10 or self.process_typical


class Ratio(Record, frozen=True):
    """An artifact's latency over the baseline's, 1.0 where they are the same.

    Args:
        point: The geometric mean of the processes' ratios, weighted by what each knows
            (``device.statistics.ratio``).
        low: Lower end of its interval.
        high: Upper end.
        confidence: Of the interval.
        processes: How many there were.
    """

    point: float
    low: float
    high: float
    confidence: float
    processes: int


class Warmup(Record, frozen=True):
    """What came before the timed calls of the artifact alone.

    Args:
        count: Untimed calls.
        seconds: How long they took, in s.
        settled: Whether the latency had settled, or the time bound ended it; None where a native
            program warmed up, which doesn't tell.
    """

    count: int
    seconds: float
    settled: bool | None


class Stages(Record, frozen=True):
    """The parts of a call on a GPU, medians in ms.

    Args:
        h2d_ms: Copying the inputs to the GPU, by the GPU's clock.
        compute_ms: Computing, likewise.
        d2h_ms: Copying the outputs back, likewise.
        end_to_end_ms: The whole call by the host's clock: what an application sees. Where trtexec
            timed it, the sum of the three, since it doesn't wait for one run before the next.
    """

    h2d_ms: float
    compute_ms: float
    d2h_ms: float
    end_to_end_ms: float


class Drift(Record, frozen=True):
    """How an artifact's latency moved while it was timed.

    Args:
        ratio: The median of the last third of the timed blocks over that of the first third.
        trend: Kendall's tau of the blocks' latencies and their order: 1 where each was slower than
            all before it, near 0 where they only varied.
    """

    ratio: float
    trend: float


class Accuracy(Record, frozen=True):
    """How good an artifact's answers are.

    Args:
        values: By metric: ``top1`` and ``top5`` from 0 to 1, or what the user's function gave; None
            where there is none.
        absent: Why there is none.
        data: What it was evaluated on.
    """

    values: dict[str, float] | None = None
    absent: str | None = None
    data: DataRecord | None = None


class Measurement(Record, frozen=True):
    """One artifact on one target: the content of ``<artifact>.<target>.benchmark.json``.

    Args:
        artifact: The file, as the user named it.
        sha256: Digest of the file.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        precision: From its manifest; None without one.
        kind: Measured, emulated or estimated.
        target: Where.
        runtime: What ran it; a native program with the digest of its file.
        threads: Threads within an operator.
        batch: Samples a call.
        inputs: What it was timed with: ``npz``, ``images``, ``function`` or ``random``.
        load_ms: Time to load it in a fresh process, the runtime already imported, in ms; None where
            trtexec timed it, as the next.
        first_inference_ms: The first call, in ms.
        warmup: The untimed calls after that.
        latency: In ms a call.
        throughput: Samples a second: the batch over the mean latency.
        peak_memory_bytes: The most memory that a fresh process with this artifact alone held.
        idle_memory_bytes: The same process's peak before the artifact was loaded: Python and the
            runtime.
        proportional_memory_bytes: That process's fair share of memory after the warm-up (PSS).
        accuracy: On the evaluation data.
        machine: What it ran on.
        before: The machine's state before the first process.
        after: The machine's state after the last.
        stages: The parts of a call, where a GPU computes.
        drift: How its latency moved in between.
        verification: Its outputs beside those it gave on the machine that sent it; None where it
            was measured on that machine.
    """

    artifact: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision | None
    kind: Kind
    target: str
    runtime: RuntimeRecord
    threads: int
    batch: int
    inputs: DataRecord
    load_ms: float | None
    first_inference_ms: float | None
    warmup: Warmup
    latency: Latency
    throughput: float
    peak_memory_bytes: Reading[int]
    idle_memory_bytes: Reading[int]
    proportional_memory_bytes: Reading[int]
    accuracy: Accuracy
    machine: Machine
    before: Conditions
    after: Conditions
    stages: Stages | None = None
    drift: Drift | None = None
    verification: Verification | None = None
    schema: Literal["edgeopt.benchmark/1"] = SCHEMA


OPTION = "option"
"""Where a budget is from that the one who asked gave."""


class BudgetCheck(Record, frozen=True):
    """One figure beside what it may be.

    Args:
        artifact: Whose.
        part: ``latency`` (the median, in ms), ``memory`` (the peak, in MB) or ``size`` (in MB).
        limit: The most that is allowed.
        found: What it is; None where that isn't known, or isn't a device's.
        passed: Whether it is within; None where that can't be said.
        reason: Why it can't.
        source: Where the limit is from: ``option``, or a file's or profile's name.
    """

    artifact: str
    part: str
    limit: float
    found: float | None
    passed: bool | None
    reason: str = ""
    source: str = OPTION


class BenchmarkReport(Record, frozen=True):
    """Several artifacts, timed together.

    Args:
        measurements: One an artifact, in the order given.
        baseline: Index of the one that ratios refer to.
        ratios: One an artifact; None for the baseline itself.
        notes: What a reader should know before trusting the figures, one sentence each.
        budgets: What was held to a budget, and whether it is within.
    """

    measurements: tuple[Measurement, ...]
    baseline: int
    ratios: tuple[Ratio | None, ...]
    notes: tuple[str, ...] = ()
    budgets: tuple[BudgetCheck, ...] = ()
