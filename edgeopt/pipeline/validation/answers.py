"""Whether an artifact's answers are what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgeopt.benchmarks.accuracy import evaluate
from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.gate.quality import quality
from edgeopt.benchmarks.metrics import TopK
from edgeopt.core.errors import UsageError
from edgeopt.core.manifest import OutputCheck, Verification
from edgeopt.core.progress import Progress
from edgeopt.data import Dataset
from edgeopt.pipeline.validation.records import Finding, Level
from edgeopt.pipeline.validation.words import a_share

ANY = 10.0
"""The SQNR in dB that an artifact of no known precision must reach: below it something is wrong."""


@dataclass(frozen=True)
class Floors:
    """What answers must reach; None where nothing was asked.

    Args:
        sqnr: In dB.
        agreement: As a share.
        accuracy: As a share.
    """

    sqnr: float | None
    agreement: float | None
    accuracy: float | None

    def check_reference(self, artifact: Artifact, *, reference: bool) -> None:
        """Refuse a floor that there is nothing to hold it against.

        Raises:
            UsageError: Says what is missing.
        """
        known = artifact.manifest is not None and artifact.manifest.verification is not None
        for value, option in ((self.sqnr, "--min-sqnr"), (self.agreement, "--min-agreement")):
            if value is not None and not reference and not known:
                raise UsageError(
                    f"{option} needs a model to compare {artifact.name} with, and there is no "
                    "manifest with a comparison beside it",
                    hint="name it with --reference",
                )


def check_recorded(artifact: Artifact, floors: Floors) -> Iterator[Finding]:
    """What its manifest says of it, from when it was made."""
    verification = artifact.manifest.verification if artifact.manifest else None
    if verification is None:
        yield Finding(
            name="recorded", level=Level.SKIPPED, found="nothing",
            why="no manifest beside it tells how far it is from its source: use --reference",
        )  # fmt: skip
        return
    floor = verification.floor_db if floors.sqnr is None else floors.sqnr
    yield from _distances(
        verification.outputs, floor, floors.agreement, "recorded", Level.FAIL, _whose(verification)
    )


def check_reference(
    artifact: Artifact,
    reference: Artifact,
    data: tuple[Dataset, Dataset],
    floors: Floors,
    progress: Progress,
) -> Iterator[Finding]:
    """Both run on the same samples.

    Args:
        artifact: The artifact.
        reference: What it is to answer as.
        data: The samples as each takes them.
        floors: What is asked.
        progress: Told of every sample.

    Raises:
        ModelError: If their outputs differ in name, number or shape.
        DataError: If a sample doesn't fit.
    """
    found = quality(reference, artifact, (data[1], data[0]), labelled=False, progress=progress)
    random = data[0].record().kind == "random"
    floor, worst = floors.sqnr, Level.FAIL
    if floor is None:
        precision = artifact.precision
        floor = precision.sqnr_floor if precision is not None else ANY
        worst = Level.WARN if random else Level.FAIL
    note = "random inputs, which are unlike real ones" if random else "the evaluation data"
    yield from _distances(found.outputs, floor, floors.agreement, "reference", worst, note)


def _distances(
    outputs: tuple[OutputCheck, ...],
    floor: float,
    agreement: float | None,
    name: str,
    worst: Level,
    note: str,
) -> Iterator[Finding]:
    for output in outputs:
        short = output.sqnr_db is not None and output.sqnr_db < floor
        less = agreement is not None and (output.agreement or 0.0) < agreement
        asked = "" if agreement is None else f", {a_share(agreement)} alike"
        told = "bit for bit" if output.sqnr_db is None else f"{output.sqnr_db:.1f} dB"
        alike = "" if output.agreement is None else f", {a_share(output.agreement)} alike"
        level = Level.FAIL if less else worst if short else Level.PASS
        yield Finding(
            name=name, level=level, subject=output.output, found=told + alike,
            limit=f"at least {floor:g} dB{asked}",
            why=_why(output, less=less, note=note) if level is not Level.PASS else "",
            figures={
                "max_abs_error": output.max_abs_error,
                **({} if output.sqnr_db is None else {"sqnr_db": output.sqnr_db}),
                **({} if output.agreement is None else {"agreement": output.agreement}),
            },
        )  # fmt: skip


def _why(output: OutputCheck, *, less: bool, note: str) -> str:
    if less and output.agreement is None:
        return "it doesn't look like class scores, so there is no agreement: use --min-sqnr"
    what = "gives other classes than" if less else "is too far from"
    return f"it {what} its reference on {note}: `edgeopt diagnose` shows where from"


def _whose(verification: Verification) -> str:
    data = verification.data
    return "random inputs" if data.kind == "random" else data.location


def check_accuracy(
    artifact: Artifact, data: Dataset, floors: Floors, progress: Progress
) -> Finding:
    """Its top-1 accuracy on labelled data.

    Raises:
        DataError: If labels aren't classes of its.
    """
    found = evaluate(artifact, data, [TopK(1)], progress=progress)
    assert found.values is not None
    value, least = found.values["top1"], floors.accuracy
    short = least is not None and value < least
    return Finding(
        name="accuracy", level=Level.FAIL if short else Level.PASS, found=f"top-1 {a_share(value)}",
        limit="" if least is None else f"at least {a_share(least)}",
        why=f"too many of the {len(data):,} samples are answered wrongly" if short else "",
        figures={"top1": value},
    )  # fmt: skip
