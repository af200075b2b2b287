"""Comparing two models on the same samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeopt.benchmarks.device.distance import Distance
from edgeopt.core.errors import ModelError
from edgeopt.core.manifest import DataRecord, OutputCheck, Verification
from edgeopt.core.progress import Progress, silent
from edgeopt.core.streaming import each_of
from edgeopt.core.tensors import Batch, TensorSpec
from edgeopt.data import Sample

Outputs = Sequence[object]


@dataclass
class Comparison:
    """Compares outputs batch by batch, keeping only sums.

    Args:
        outputs: The outputs' specs, in order.
    """

    outputs: Sequence[TensorSpec]
    _distances: list[Distance] = field(init=False)

    def __post_init__(self) -> None:
        self._distances = [Distance(s.name, scores=_may_be_scores(s)) for s in self.outputs]

    def add(self, reference: Outputs, other: Outputs, origin: str) -> None:
        """Add one batch.

        Raises:
            ModelError: If the two differ in number or shape of outputs.
        """
        pairs = [(np.asarray(r), np.asarray(o)) for r, o in zip(reference, other, strict=False)]
        if len(reference) != len(other) or any(r.shape != o.shape for r, o in pairs):
            raise ModelError(
                f"{origin}: the model's and its reference's outputs differ in number or shape",
                hint="report this with the model: a conversion should never do it",
            )
        for distance, (one, two) in zip(self._distances, pairs, strict=True):
            distance.add(one, two)

    def checks(self) -> tuple[OutputCheck, ...]:
        """What was found so far."""
        return tuple(OutputCheck(**distance.as_json()) for distance in self._distances)


def compare(
    reference: Callable[[Batch, str], Outputs],
    other: Callable[[Batch, str], Outputs],
    samples: Iterable[Sample],
    outputs: Sequence[TensorSpec],
    *,
    step: str,
    total: int,
    parallel: bool,
    progress: Progress = silent,
) -> tuple[OutputCheck, ...]:
    """Run two models over the samples and say how far apart they are.

    Args:
        reference: Gives the outputs for a sample's inputs, and its origin for messages.
        other: Likewise.
        samples: What to run.
        outputs: The outputs' specs, in order.
        step: What progress is called.
        total: How many samples there are.
        parallel: Whether the two may be called from several threads.
        progress: Told after each sample.
    """
    comparison = Comparison(outputs)

    def both(sample: Sample) -> tuple[Outputs, Outputs]:
        args = (sample.inputs, sample.origin)
        return reference(*args), other(*args)

    results = each_of(samples, both, parallel=parallel)
    for index, (sample, (one, two)) in enumerate(results, 1):
        comparison.add(one, two, sample.origin)
        progress(step, index, total)
    return comparison.checks()


def _may_be_scores(spec: TensorSpec) -> bool:
    # Of one recording, [1, frames]: an axis that grows with the input isn't one of classes.
    return not (len(spec.shape) == 2 and isinstance(spec.shape[0], int)) or isinstance(
        spec.shape[1], int
    )


def verification(
    reference: str,
    data: DataRecord,
    floor_db: float,
    checks: tuple[OutputCheck, ...],
    *,
    emulated: bool = False,
) -> Verification:
    """The record of a comparison."""
    return Verification(
        reference=reference, data=data, floor_db=floor_db, outputs=checks, emulated=emulated
    )
