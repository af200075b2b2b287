"""From artifacts and their inputs to a report: alone for memory and load, together for latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeopt.benchmarks.accuracy import evaluate
from edgeopt.benchmarks.messages import PairedAnswer, SoloAnswer, StagesAnswer
from edgeopt.benchmarks.metrics import Metric
from edgeopt.benchmarks.notes import notes
from edgeopt.benchmarks.paired import Subject, low_quantiles, time_alone, time_together
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.result import (
    Accuracy,
    BenchmarkReport,
    Kind,
    Measurement,
    Ratio,
    Stages,
    Warmup,
)
from edgeopt.benchmarks.statistics import latency, log_ratios, ratio
from edgeopt.core.manifest import DataRecord
from edgeopt.core.precision import Precision
from edgeopt.core.progress import Progress, silent

if TYPE_CHECKING:
    from edgeopt.data import Dataset

HOST = "host"


@dataclass(frozen=True)
class Candidate:
    """An artifact that is ready to be measured.

    Args:
        subject: The artifact and its stored inputs.
        batch: Samples that one call of it takes.
        inputs: Where the inputs are from.
        evaluation: What its accuracy is evaluated on; None if there is nothing.
    """

    subject: Subject
    batch: int
    inputs: DataRecord
    evaluation: Dataset | None


def measure(
    candidates: Sequence[Candidate],
    plan: Plan,
    metrics: Callable[[], Sequence[Metric]],
    *,
    progress: Progress = silent,
) -> BenchmarkReport:
    """Measure artifacts on this machine.

    What finds mistakes comes first: loading, then accuracy, then the long timing.

    Args:
        candidates: The artifacts.
        plan: How they are timed.
        metrics: Makes the metrics afresh for each artifact.
        progress: Told how far it is.

    Raises:
        EdgeOptError: As ``process.ask`` and ``accuracy.evaluate``.
    """
    subjects = [c.subject for c in candidates]
    solos = _alone(subjects, plan, progress)
    accuracies = [
        evaluate(c.subject.artifact, c.evaluation, metrics(), progress=progress) for c in candidates
    ]
    paired = _together(subjects, plan, progress)
    measurements = tuple(
        _measurement(candidate, solo, accuracy, paired, index, plan)
        for index, (candidate, solo, accuracy) in enumerate(
            zip(candidates, solos, accuracies, strict=True)
        )
    )
    baseline = baseline_of(measurements)
    ratios = tuple(_ratio(paired, baseline, index) for index in range(len(measurements)))
    return BenchmarkReport(
        measurements=measurements,
        baseline=baseline,
        ratios=ratios,
        notes=notes(measurements, ratios),
    )


def _alone(subjects: Sequence[Subject], plan: Plan, progress: Progress) -> list[SoloAnswer]:
    answers: list[SoloAnswer] = []
    for subject in subjects:
        progress("loading", len(answers), len(subjects))
        answers.append(time_alone(subject, plan))
    progress("loading", len(answers), len(subjects))
    return answers


def _together(subjects: Sequence[Subject], plan: Plan, progress: Progress) -> list[PairedAnswer]:
    answers: list[PairedAnswer] = []
    progress("timing", 0, plan.processes)
    for answer in time_together(subjects, plan):
        answers.append(answer)
        progress("timing", len(answers), plan.processes)
    return answers


def _measurement(
    candidate: Candidate,
    solo: SoloAnswer,
    accuracy: Accuracy,
    paired: Sequence[PairedAnswer],
    index: int,
    plan: Plan,
) -> Measurement:
    artifact = candidate.subject.artifact
    summary = latency([answer.samples(index) for answer in paired])
    warmup = solo.warmup
    return Measurement(
        artifact=artifact.name,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        format=artifact.format,
        precision=artifact.precision,
        kind=Kind.MEASURED,
        target=HOST,
        runtime=solo.runtime,
        threads=plan.threads,
        batch=candidate.batch,
        inputs=candidate.inputs,
        load_ms=solo.load_ns / 1e6,
        first_inference_ms=solo.first_ns / 1e6,
        warmup=Warmup(count=warmup.calls, seconds=warmup.ns / 1e9, settled=warmup.settled),
        latency=summary,
        throughput=candidate.batch * 1000 / summary.mean,
        peak_memory_bytes=solo.memory.peak_bytes,
        idle_memory_bytes=solo.memory_before.peak_bytes,
        proportional_memory_bytes=solo.memory.proportional_bytes,
        accuracy=accuracy,
        machine=solo.machine,
        before=solo.before,
        after=paired[-1].after,
        stages=_stages(solo.stages),
    )


def _stages(found: StagesAnswer | None) -> Stages | None:
    if found is None:
        return None
    return Stages(
        h2d_ms=found.h2d,
        compute_ms=found.compute,
        d2h_ms=found.d2h,
        end_to_end_ms=found.end_to_end,
    )


def baseline_of(measurements: Sequence[Measurement]) -> int:
    """The first fp32 artifact, by the manifests; the first one if there is none."""
    precisions = [m.precision for m in measurements]
    return precisions.index(Precision.FP32) if Precision.FP32 in precisions else 0


def _ratio(paired: Sequence[PairedAnswer], baseline: int, index: int) -> Ratio | None:
    if index == baseline:
        return None
    return ratio(log_ratios(low_quantiles(paired, baseline), low_quantiles(paired, index)))
