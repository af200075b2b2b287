"""How good a candidate's answers are beside its baseline's, on the same samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeopt.benchmarks.accuracy import answers
from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.device.distance import Distance
from edgeopt.benchmarks.device.ranking import rank
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.gate.counts import drop
from edgeopt.benchmarks.gate.verdict import Check, Interval, Verdict
from edgeopt.benchmarks.metrics import class_index, class_scores
from edgeopt.core.errors import DataError, ModelError
from edgeopt.core.manifest import OutputCheck
from edgeopt.core.progress import Progress
from edgeopt.core.tensors import Batch

if TYPE_CHECKING:
    from edgeopt.data import Dataset, Sample


@dataclass(frozen=True)
class Quality:
    """What both answered.

    Args:
        outputs: Each output of the candidate beside the baseline's.
        samples: How many there were.
        right: Samples that the baseline and the candidate answered rightly; None without labels.
        lost: Samples that only the baseline did.
        gained: Samples that only the candidate did.
    """

    outputs: tuple[OutputCheck, ...]
    samples: int
    right: tuple[int, int] | None
    lost: int = 0
    gained: int = 0

    @property
    def worst(self) -> OutputCheck:
        """The output with the lowest SQNR."""
        return min(self.outputs, key=lambda o: float("inf") if o.sqnr_db is None else o.sqnr_db)


def quality(
    baseline: Artifact,
    candidate: Artifact,
    data: tuple[Dataset, Dataset],
    *,
    labelled: bool,
    progress: Progress,
) -> Quality:
    """Run both on every sample.

    Args:
        baseline: One model.
        candidate: The other.
        data: The same samples as each of them takes them.
        labelled: Whether to look at the labels.
        progress: Told of every sample.

    Raises:
        ModelError: If their outputs differ in name, number or shape.
        DataError: If a sample or label doesn't fit.
    """
    distances: dict[str, Distance] = {}
    hits: list[tuple[bool, bool]] = []
    total = len(data[0])
    both = zip(answers(baseline, data[0]), answers(candidate, data[1]), strict=True)
    for done, ((one, sample), (other, _)) in enumerate(both, start=1):
        _check_alike(one, other, baseline, candidate)
        for name, array in one.items():
            distances.setdefault(name, Distance(name)).add(array, other[name])
        if labelled:
            hits.append((_hit(one, sample), _hit(other, sample)))
        progress("comparing outputs", done, total)
    if not distances:
        raise DataError("the evaluation data has no samples", hint="check what is in it")
    return Quality(
        outputs=tuple(OutputCheck(**distance.as_json()) for distance in distances.values()),
        samples=total,
        right=(sum(a for a, _ in hits), sum(b for _, b in hits)) if labelled else None,
        lost=sum(a and not b for a, b in hits),
        gained=sum(b and not a for a, b in hits),
    )


def quality_checks(found: Quality, budgets: Budgets) -> Iterator[Check]:
    """The verdicts on accuracy, SQNR and agreement, where something was asked."""
    if budgets.drop is not None and found.right is not None:
        yield _accuracy(found, budgets.drop)
    if budgets.sqnr is not None:
        value = found.worst.sqnr_db
        short = value is not None and value < budgets.sqnr
        yield Check(
            name="sqnr", verdict=Verdict.REGRESSION if short else Verdict.PASS,
            budget=f"{budgets.sqnr:g} dB", unit="dB", candidate=value,
            why=f"output {found.worst.output!r} is too far from the baseline's" if short else "",
        )  # fmt: skip
    if budgets.agreement is not None:
        yield _agreement(found, budgets.agreement)


def _accuracy(found: Quality, allowed: float) -> Check:
    assert found.right is not None
    point, low, high = drop(found.lost, found.gained, found.samples)
    verdict, why = Verdict.PASS, ""
    if low > allowed:
        verdict, why = Verdict.REGRESSION, f"{found.lost} of {found.samples} samples were lost"
    elif high > allowed:
        verdict = Verdict.INCONCLUSIVE
        why = f"{found.samples} samples are too few to tell: use more"
    return Check(
        name="accuracy", verdict=verdict, budget=f"{100 * allowed:g}pp",
        unit="share", baseline=found.right[0] / found.samples,
        candidate=found.right[1] / found.samples, change=Interval(point, low, high), why=why,
    )  # fmt: skip


def _agreement(found: Quality, least: float) -> Check:
    shares = [o.agreement for o in found.outputs if o.agreement is not None]
    if not shares:
        raise DataError(
            "no output looks like class scores, so there is no agreement to check",
            hint="use --min-sqnr instead of --min-agreement",
        )
    share = min(shares)
    short = share < least
    return Check(
        name="agreement", verdict=Verdict.REGRESSION if short else Verdict.PASS,
        budget=f"{100 * least:g}%", unit="share", candidate=share,
        why="it gives other classes than the baseline" if short else "",
    )  # fmt: skip


def _hit(outputs: Batch, sample: Sample) -> bool:
    scores = class_scores(outputs)
    return rank(scores, class_index(sample, len(scores))) == 0


def _check_alike(one: Batch, other: Batch, baseline: Artifact, candidate: Artifact) -> None:
    shapes = [{name: array.shape for name, array in side.items()} for side in (one, other)]
    if shapes[0] != shapes[1]:
        told = [", ".join(f"{n}{list(s)}" for n, s in side.items()) for side in shapes]
        raise ModelError(
            f"{candidate.name} gives {told[1]}, and the baseline {baseline.name} gives {told[0]}",
            hint="compare artifacts of the same model",
        )
