"""Two artifacts that take the same, and data that both can be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.result import OPTION
from edgeopt.core.errors import DataError, ModelError, UsageError
from edgeopt.pipeline.evaluation import Evaluation

if TYPE_CHECKING:
    from edgeopt.data import Dataset

Both = tuple[Artifact, Artifact]


def check_fit(baseline: Artifact, candidate: Artifact, said: str = "") -> None:
    """Refuse artifacts that don't take the same, before anything runs.

    Inputs belong together by name; where each takes only one, its name says nothing.

    Args:
        baseline: What it is held against.
        candidate: What is judged.
        said: How the user named the baseline: ``@main``, whose file is a copy; its path if empty.

    Raises:
        ModelError: Tells what both take.
    """
    called = only_input(baseline) if only_input(candidate) else None
    ours = {spec.name: spec for spec in baseline.given()}
    theirs = {called or spec.name: spec for spec in candidate.given()}
    fits = ours.keys() == theirs.keys() and all(
        _alike(spec.shape, theirs[name].shape) for name, spec in ours.items()
    )
    if not fits:
        raise ModelError(
            f"{candidate.name} takes {_told(candidate)}, and the baseline "
            f"{said or baseline.name} takes {_told(baseline)}",
            hint="compare artifacts of the same model",
        )


def only_input(artifact: Artifact) -> str | None:
    """The name of its input, if it has just one."""
    return artifact.inputs[0].name if len(artifact.inputs) == 1 else None


def called(artifact: Artifact, name: str | None) -> Artifact:
    """The artifact with another name for its only input; the same if None."""
    if name is None or name == only_input(artifact):
        return artifact
    (spec,) = artifact.inputs
    scales = dict.fromkeys([name], *artifact.scales.values()) if artifact.scales else {}
    renamed = (msgspec.structs.replace(spec, name=name),)
    return msgspec.structs.replace(artifact, inputs=renamed, scales=scales)


def open_both(artifacts: Both, evaluation: Evaluation) -> tuple[Dataset, Dataset] | None:
    """The evaluation data as each takes it; None without any.

    Where their only inputs have different names, the data may have either.

    Raises:
        DataError: If it doesn't fit.
    """
    if evaluation.data is None:
        return None
    names = dict.fromkeys(map(only_input, artifacts))
    refused: DataError | None = None
    for name in names if None not in names else [None]:
        try:
            return _opened(artifacts, evaluation, name)
        except DataError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _opened(artifacts: Both, evaluation: Evaluation, name: str | None) -> tuple[Dataset, Dataset]:
    one, other = (_under(artifact, evaluation, name) for artifact in artifacts)
    return one, other


def _under(artifact: Artifact, evaluation: Evaluation, name: str | None) -> Dataset:
    from edgeopt.data.renamed import Renamed

    data = evaluation.of(called(artifact, name))
    assert data is not None
    own = only_input(artifact)
    return data if own is None or name in (None, own) else Renamed(data, own)


def check_labels(data: tuple[Dataset, Dataset] | None, budgets: Budgets) -> None:
    """Refuse a budget on accuracy without labels.

    Raises:
        UsageError: If there is no data.
        DataError: If it has no labels.
    """
    if budgets.drop is None:
        return
    place = budgets.sources.get("accuracy", OPTION)
    asked = "--max-drop" if place == OPTION else f"max-drop ({place})"
    if data is None:
        raise UsageError(f"{asked} needs labelled data", hint="name it with --evaluation")
    if not data[0].labelled:
        raise DataError(
            f"the evaluation data has no labels, which {asked} needs",
            hint="put an array `labels` into the .npz, or pictures into folders by class",
        )


def _alike(one: Sequence[int | str], other: Sequence[int | str]) -> bool:
    free = (isinstance(a, str) or isinstance(b, str) or a == b for a, b in zip(one, other))  # noqa: B905
    return len(one) == len(other) and all(free)


def _told(artifact: Artifact) -> str:
    return ", ".join(str(spec) for spec in artifact.given())
