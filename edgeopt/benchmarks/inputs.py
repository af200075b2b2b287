"""Filling a model's batch with samples, for timing and for evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.core.errors import UsageError
from edgeopt.core.tensors import Batch, TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from edgeopt.benchmarks.artifact import Artifact
    from edgeopt.data import Dataset, Sample


def batch_size(artifact: Artifact, wanted: int) -> int:
    """Samples a call of ``artifact`` takes when ``wanted`` are asked for.

    That many if it has an input whose axis 0 is dynamic; otherwise the size of its first input's
    axis 0, whatever it is.

    Raises:
        UsageError: If more than one is wanted and the artifact is made for another number.
    """
    if any(spec.batched for spec in artifact.inputs):
        return wanted
    first = artifact.inputs[0].shape[:1] if artifact.inputs else ()
    size = first[0] if first and isinstance(first[0], int) else 1
    if wanted not in (1, size):
        raise UsageError(
            f"{artifact.name}: made for batches of {size}, so it can't take {wanted}",
            hint=f"leave --batch out, or convert with a dynamic batch ({artifact.inputs[0]})",
        )
    return size


def fill(samples: Sequence[Sample], specs: Sequence[TensorSpec], size: int) -> Batch:
    """Join samples into one call of ``size``, starting over where they are too few.

    An input that isn't batched along axis 0 (a scalar, a recurrent state) is the first sample's.
    """
    chosen = list(islice(cycle(samples), size))
    return {spec.name: _joined([s.inputs[spec.name] for s in chosen], spec) for spec in specs}


def _joined(arrays: list[np.ndarray], spec: TensorSpec) -> np.ndarray:
    import numpy as np

    whole = not spec.batched and spec.accepts(arrays[0].shape)
    return arrays[0] if whole else np.concatenate(arrays)


def calls(
    artifact: Artifact, samples: Iterable[Sample]
) -> Iterator[tuple[Sequence[Sample], Batch]]:
    """Samples one by one, or as many as an artifact of a fixed batch takes; and each as one call.

    The last call is topped up with samples that aren't counted. Its arrays are as data has them.
    """
    size, specs, remaining = batch_size(artifact, 1), artifact.given(), iter(samples)
    while chunk := list(islice(remaining, size)):
        yield chunk, fill(chunk, specs, size)


def timing_inputs(
    artifact: Artifact, dataset: Dataset, specs: Sequence[TensorSpec], size: int
) -> Batch:
    """The first ``size`` samples, as one call of the artifact's file.

    Args:
        artifact: What they are for.
        dataset: Has them.
        specs: What data is like for it.
        size: How many.
    """
    return artifact.stored(fill(list(dataset.samples(0, size)), specs, size))


def save_inputs(inputs: Batch, path: Path) -> None:
    """Write inputs where the on-device program reads them: ``arr_0``, ``arr_1``, ... in order."""
    import numpy as np

    np.savez(path, *inputs.values())
