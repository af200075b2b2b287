"""From what a native program said to a benchmark's report."""

from __future__ import annotations

from collections.abc import Sequence

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.device.statistics import LOW_QUANTILE, log_ratios, quantile, ratio
from edgeopt.benchmarks.device.summary import baseline_of
from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.benchmarks.native.times import Process, joined, typical
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.result import (
    Accuracy,
    BenchmarkReport,
    Kind,
    Measurement,
    Ratio,
    Warmup,
)
from edgeopt.core.manifest import DataRecord
from edgeopt.core.record import Record


class Setting(Record, frozen=True):
    """What all of a report's measurements share.

    Args:
        target: Where.
        kind: Measured or emulated.
        machine: What it is.
        before: Its state before.
        after: And after.
        plan: How they were timed.
        program: What timed them, by its name.
        version: Which one.
        why: Why there are no percentiles, where it gives none.
    """

    target: str
    kind: Kind
    machine: Machine
    before: Conditions
    after: Conditions
    plan: Plan
    program: str
    version: str
    why: str


def report(
    setting: Setting,
    artifacts: Sequence[tuple[Artifact, int]],
    solos: Sequence[Process],
    paired: Sequence[Sequence[Process]],
) -> BenchmarkReport:
    """Everything about artifacts that were timed in turns.

    Args:
        setting: What they share.
        artifacts: Each with its batch.
        solos: Of each, the process whose memory was watched.
        paired: By round, a process for each artifact.
    """
    baseline = baseline_of([artifact.precision for artifact, _ in artifacts])
    each = [
        _measurement(setting, *artifact, solos[index], [round_[index] for round_ in paired])
        for index, artifact in enumerate(artifacts)
    ]
    ratios = tuple(_ratio(paired, baseline, index) for index in range(len(artifacts)))
    return BenchmarkReport(tuple(each), baseline, ratios)


def _measurement(
    setting: Setting, artifact: Artifact, batch: int, solo: Process, processes: Sequence[Process]
) -> Measurement:
    latency = joined(processes, setting.why)
    program = setting.program
    return Measurement(
        artifact=artifact.name,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        format=artifact.format,
        precision=artifact.precision,
        kind=setting.kind,
        target=setting.target,
        runtime=RuntimeRecord(program, setting.version, (solo.provider,)),
        threads=setting.plan.threads,
        batch=batch,
        inputs=DataRecord("random", f"made up by {program}", None, batch, (0, batch)),
        load_ms=solo.load_ms,
        first_inference_ms=solo.first_ms,
        warmup=Warmup(solo.warmup_calls, solo.warmup_seconds, None),
        latency=latency,
        throughput=batch * 1000 / latency.mean,
        peak_memory_bytes=_reading(solo.peak_bytes, f"{program} did not tell it"),
        idle_memory_bytes=_reading(None, f"{program} does not tell it"),
        proportional_memory_bytes=_reading(None, f"{program} does not tell it"),
        accuracy=Accuracy(absent=f"{program} gives no outputs"),
        machine=setting.machine,
        before=setting.before,
        after=setting.after,
    )


def _reading(value: int | None, absent: str) -> Reading[int]:
    return Reading(value=value) if value else Reading(absent=absent)


def _ratio(paired: Sequence[Sequence[Process]], baseline: int, index: int) -> Ratio | None:
    if index == baseline:
        return None
    each = [[_low(round_[one]) for round_ in paired] for one in (baseline, index)]
    return Ratio(**ratio(log_ratios(*each)))


def _low(process: Process) -> float:
    """What ratios are made of: the 10th percentile, where single calls are known."""
    return quantile(process.ns, LOW_QUANTILE) if process.ns else typical(process)
