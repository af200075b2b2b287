"""How good a candidate's answers are beside its baseline's, on the same samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from edgeopt.benchmarks.accuracy import answers
from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.device.beside import Beside
from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.gate.counts import drop
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.benchmarks.gate.verdict import Check, Verdict
from edgeopt.benchmarks.messages import Failed
from edgeopt.benchmarks.metrics import class_label
from edgeopt.core.errors import DataError, EdgeOptError, ModelError, UnsupportedError
from edgeopt.core.manifest import OutputCheck
from edgeopt.core.progress import Progress
from edgeopt.core.record import Record

if TYPE_CHECKING:
    from edgeopt.data import Dataset


class Quality(Record, frozen=True):
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
    """Run both on every sample, in this process.

    Args:
        baseline: One model.
        candidate: The other.
        data: The same samples as each of them takes them.
        labelled: Whether to look at the labels.
        progress: Told of every sample.

    Raises:
        ModelError: If their outputs differ in name, number or shape.
        UnsupportedError: If one isn't a tensor of numbers.
        DataError: If a sample or label doesn't fit.
    """
    beside, total = Beside(), len(data[0])
    both = zip(answers(baseline, data[0]), answers(candidate, data[1]), strict=True)
    for done, ((one, sample), (other, _)) in enumerate(both, start=1):
        try:
            beside.add(one, other, class_label(sample) if labelled else None)
        except Failure as failure:
            raise unlike(failure, (baseline, candidate), sample.origin) from failure
        progress("comparing outputs", done, total)
    return msgspec.convert(beside.as_json(), Quality)


def unlike(
    failure: Failure | Failed, artifacts: tuple[Artifact, Artifact], where: str
) -> EdgeOptError:
    """The error for outputs that don't fit each other, or the labels.

    Args:
        failure: What was found.
        artifacts: Whose outputs they are: the baseline's and the candidate's.
        where: What the labels are of.
    """
    if failure.stage == "outputs":
        return ModelError(
            f"{artifacts[1].name}: {failure.reason}", hint="compare artifacts of the same model"
        )
    if failure.stage == "numbers":
        name = artifacts[1 if failure.artifact else 0].name
        return UnsupportedError(
            f"{name}: {failure.reason}",
            hint="cut the graph before the step that makes text or sequences",
        )
    if failure.stage == "scores":
        return DataError(failure.reason, hint="use --min-sqnr instead of --max-drop")
    return DataError(
        f"{where}: {failure.reason}", hint="count classes from 0, in the model's order"
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
