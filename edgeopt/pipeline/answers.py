"""What an artifact answers here, written down for a device to compare its own answers with."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.bundle import Answers, BundledArtifact, CallFile
from edgeopt.benchmarks.inputs import batch_size, calls, save_inputs, timing_inputs
from edgeopt.benchmarks.metrics import class_index, class_scores
from edgeopt.benchmarks.paired import RUNTIMES
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.result import Accuracy
from edgeopt.core.errors import DataError, UnsupportedError, UsageError
from edgeopt.core.execution import open_artifact
from edgeopt.core.manifest import DataRecord, Verification
from edgeopt.core.precision import Format, Precision
from edgeopt.core.progress import Progress
from edgeopt.core.streaming import each_of
from edgeopt.core.tensors import Batch
from edgeopt.targets import load_target

if TYPE_CHECKING:
    from edgeopt.data import Dataset, Sample

RANDOM_SAMPLES = 8
"""How many there are without data."""


@dataclass(frozen=True)
class Asked:
    """What an artifact is asked.

    Args:
        artifact: The artifact.
        data: The samples; None for random ones.
        most: How many at most.
        tops: For which ``k`` a label's place among the highest scores counts.
        plan: How it will be timed.
    """

    artifact: Artifact
    data: Dataset | None
    most: int
    tops: tuple[int, ...]
    plan: Plan

    @property
    def source(self) -> Dataset:
        """The samples."""
        from edgeopt.data.random import RandomDataset

        if self.data is not None:
            return self.data
        count = max(min(self.most, RANDOM_SAMPLES), self.plan.batch)
        return RandomDataset(self.artifact.given(), count, self.plan.seed)


def answer(asked: Asked, folder: Path, progress: Progress) -> BundledArtifact:
    """Run an artifact on its samples, and write inputs and outputs into ``folder``.

    Raises:
        ModelError: If it can't be loaded.
        UnsupportedError: If an output isn't a tensor of numbers.
        DataError: If a sample doesn't fit.
    """
    artifact, source = asked.artifact, asked.source
    size = batch_size(artifact, asked.plan.batch)
    file = artifact.path.name
    fed = timing_inputs(artifact, source, artifact.given(), size)
    save_inputs(fed, folder / f"{file}.inputs.npz")
    stride = -(-len(source) // asked.most)
    data = msgspec.structs.replace(source.record(0, len(source)), stride=stride)
    emulated = _exact_elsewhere(artifact)
    answers = _run(asked, spread(source, stride), emulated, folder, progress)
    accuracy, labels, scores = answers.accuracy(data)
    return BundledArtifact(
        file=file,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        format=artifact.format,
        precision=artifact.precision,
        runtime=RUNTIMES[artifact.format],
        names=tuple(spec.name for spec in artifact.inputs),
        inputs=f"{file}.inputs.npz",
        batch=size,
        fed_with=source.record(0, size),
        accuracy=accuracy,
        verification=Verification(
            reference=f"the same file on {platform.machine()}",
            data=data,
            floor_db=(artifact.precision or Precision.INT8).sqnr_floor,
            outputs=(),
            emulated=emulated,
        ),
        answers=Answers(
            samples=f"{file}.samples.npz",
            references=f"{file}.references.npz",
            outputs=answers.outputs,
            counted=tuple(answers.counted),
            labels=labels,
            scores=scores,
            tops=asked.tops,
        ),
    )


def spread(dataset: Dataset, stride: int) -> Iterator[Sample]:
    """Every ``stride``-th sample, so that data sorted by class still shows every class.

    Pictures that aren't wanted aren't decoded; other data is passed over, which costs it less than
    to find a place anew.
    """
    if dataset.record().kind == "images":
        for index in range(0, len(dataset), stride):
            yield from dataset.samples(index, index + 1)
        return
    yield from islice(dataset.samples(), 0, None, stride)


@dataclass
class _Answers:
    """What is known once every sample was run."""

    outputs: tuple[str, ...]
    counted: list[int]
    labels: list[int]
    scores: int
    absent: str | None

    def accuracy(self, data: DataRecord) -> tuple[Accuracy, tuple[int, ...], int]:
        if self.absent is not None:
            return Accuracy(absent=self.absent), (), 0
        return Accuracy(data=data), tuple(self.labels), self.scores


def _run(
    asked: Asked, samples: Iterable[Sample], emulated: bool, folder: Path, progress: Progress
) -> _Answers:
    artifact = asked.artifact
    opened = open_artifact(
        artifact.path,
        artifact.format,
        layout=artifact.layout,
        threads=1,
        emulated=emulated,
        exact=emulated,
        name=artifact.name,
    )
    found = _Answers(opened.outputs, [], [], 0, _no_labels(asked.data))
    file = artifact.path.name
    step, total = f"running {file}", min(asked.most, len(asked.source))
    with (
        CallFile(folder / f"{file}.samples.npz") as given,
        CallFile(folder / f"{file}.references.npz") as due,
    ):
        given_back = each_of(calls(artifact, samples), lambda c: opened.run(c[1], c[0][0].origin))
        for (chunk, batch), outputs in given_back:
            _check_numbers(artifact, opened.outputs, outputs)
            given.add(artifact.stored(batch).values())
            due.add(outputs)
            found.counted.append(len(chunk))
            _label(found, chunk, dict(zip(opened.outputs, outputs, strict=True)))
            progress(step, sum(found.counted), total)
    return found


def _no_labels(data: Dataset | None) -> str | None:
    if data is None:
        return "no evaluation data was given"
    return None if data.labelled else "the evaluation data has no labels"


def _label(found: _Answers, chunk: Sequence[Sample], outputs: Batch) -> None:
    """Take in a call's labels, or the reason why they can't be counted on a device."""
    if found.absent is not None:
        return
    try:
        classes = class_scores({name: array[:1] for name, array in outputs.items()})
        found.labels += [class_index(sample, len(classes)) for sample in chunk]
    except DataError as error:
        found.absent = error.message
        return
    found.scores = next(
        n for n, array in enumerate(outputs.values()) if array.ndim == 2 and array.shape[1] >= 2
    )


def _check_numbers(artifact: Artifact, names: Sequence[str], outputs: Sequence[object]) -> None:
    for name, array in zip(names, outputs, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            raise UnsupportedError(
                f"{artifact.name}: output {name!r} is not a tensor of numbers",
                hint="cut the graph before the step that makes text or sequences",
            )


def _exact_elsewhere(artifact: Artifact) -> bool:
    """Whether this machine's kernels saturate where the artifact's target adds exactly."""
    from edgeopt.core.runtime import saturates

    made = artifact.manifest
    if artifact.format is not Format.ONNX or made is None or not made.precision.adds_integers:
        return False
    try:
        target = load_target(made.recipe.target)
    except UsageError:
        return False  # a target of the user's own, whose file isn't known here
    return target.exact_sums and saturates()
