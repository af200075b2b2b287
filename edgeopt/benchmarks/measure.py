"""From artifacts and their inputs to a report: alone for memory and load, together for latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import to_builtins as plain

from edgeopt.benchmarks.accuracy import evaluate
from edgeopt.benchmarks.device import summary
from edgeopt.benchmarks.messages import PairedAnswer, SoloAnswer
from edgeopt.benchmarks.metrics import Metric
from edgeopt.benchmarks.notes import notes
from edgeopt.benchmarks.paired import Subject, time_alone, time_together
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.result import Accuracy, BenchmarkReport, Kind
from edgeopt.core.manifest import DataRecord
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
    known = [_known(c, a, plan) for c, a in zip(candidates, accuracies, strict=True)]
    found = summary.report(known, plain(solos), plain(paired))
    report = msgspec.convert(found, BenchmarkReport)
    return msgspec.structs.replace(report, notes=notes(report.measurements, report.ratios))


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


def _known(candidate: Candidate, accuracy: Accuracy, plan: Plan) -> dict[str, Any]:
    """What of a measurement no process finds."""
    artifact = candidate.subject.artifact
    known = {
        "artifact": artifact.name,
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "format": artifact.format,
        "precision": artifact.precision,
        "kind": Kind.MEASURED,
        "target": HOST,
        "threads": plan.threads,
        "batch": candidate.batch,
        "inputs": candidate.inputs,
        "accuracy": accuracy,
    }
    return cast(dict[str, Any], plain(known))
