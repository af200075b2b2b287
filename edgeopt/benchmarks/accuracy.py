"""Evaluating an artifact on labelled data, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.inputs import batch_size, calls
from edgeopt.benchmarks.metrics import Metric
from edgeopt.benchmarks.result import Accuracy
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.precision import Format
from edgeopt.core.progress import Progress, silent
from edgeopt.core.tensors import Batch

if TYPE_CHECKING:
    from edgeopt.core.execution import Opened
    from edgeopt.data import Dataset, Sample


def evaluate(
    artifact: Artifact,
    dataset: Dataset | None,
    metrics: Sequence[Metric],
    *,
    progress: Progress = silent,
) -> Accuracy:
    """Run every sample and compute the metrics.

    Samples are run one by one, as a device runs them (a model that quantizes dynamically answers
    differently in a batch); an artifact of a fixed larger batch gets full batches, the last one
    topped up with samples that are not counted.

    Args:
        artifact: The model.
        dataset: The evaluation data; None if there is none.
        metrics: Fresh ones.
        progress: Told of every sample.

    Raises:
        DataError: If a sample or label doesn't fit the model.
        EdgeOptError: What a metric of the user's raises.
    """
    if dataset is None:
        return Accuracy(absent="no evaluation data was given")
    if not dataset.labelled:
        return Accuracy(absent="the evaluation data has no labels", data=dataset.record())
    step, total = f"evaluating {artifact.path.name}", len(dataset)
    for done, (outputs, sample) in enumerate(answers(artifact, dataset), start=1):
        for metric in metrics:
            metric.add(outputs, sample)
        progress(step, done, total)
    values = {name: value for metric in metrics for name, value in metric.values().items()}
    return Accuracy(values=values, data=dataset.record())


def answers(artifact: Artifact, dataset: Dataset) -> Iterator[tuple[Batch, Sample]]:
    """What an artifact answers to each sample: its outputs by name, batch axis included.

    Raises:
        DataError: If a sample doesn't fit the model.
        UnsupportedError: If an output isn't a tensor.
    """
    opened = _opened(artifact)
    size = batch_size(artifact, 1)
    for chunk, batch in calls(artifact, dataset.samples()):
        arrays = opened.run(batch, chunk[0].origin)
        outputs = dict(zip(opened.outputs, arrays, strict=True))
        _check_tensors(outputs, artifact)
        for index, sample in enumerate(chunk):
            yield (_row(outputs, index) if size > 1 else outputs), sample


def _check_tensors(outputs: Batch, artifact: Artifact) -> None:
    for name, output in outputs.items():
        if not hasattr(output, "dtype"):
            raise UnsupportedError(
                f"{artifact.name}: output {name!r} is not a tensor, and so can't be compared",
                hint="cut the graph before the step that makes a sequence or a map of it",
            )


def _opened(artifact: Artifact) -> Opened:
    if artifact.format is Format.TENSORRT:
        from edgeopt.benchmarks.engine import open_engine

        assert artifact.manifest is not None, "nothing else tells what an engine takes"
        names = [spec.name for spec in artifact.manifest.outputs]
        return open_engine(artifact.path, names, artifact.name)
    from edgeopt.core.execution import open_artifact

    return open_artifact(
        artifact.path, artifact.format, layout=artifact.layout, threads=0, name=artifact.name
    )


def _row(outputs: dict[str, Any], index: int) -> Batch:
    return {name: array[index : index + 1] for name, array in outputs.items()}
