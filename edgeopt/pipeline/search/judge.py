"""Finding an artifact's quality beside the float graph's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.benchmarks.metrics import TopK
from edgeopt.core.graph import FloatGraph
from edgeopt.core.runtime import open_session, run
from edgeopt.core.streaming import each_of
from edgeopt.pipeline.search.budget import Quality
from edgeopt.pipeline.verify import Comparison

if TYPE_CHECKING:
    import numpy as np

    from edgeopt.data import Sample

    Outputs = list[np.ndarray]


@dataclass(frozen=True)
class Judge:
    """Runs artifacts on the evaluation samples.

    Args:
        graph: The float graph.
        samples: Gives the samples afresh, at most so many.
        labelled: Whether they have labels that top-1 can be had of.
        emulated: Whether integer sums are emulated: see :func:`edgeopt.core.runtime.saturates`.
    """

    graph: FloatGraph
    samples: Callable[[int | None], Iterable[Sample]]
    labelled: bool
    emulated: bool

    def quality(self, artifact: Path, most: int | None = None) -> Quality:
        """The quality of an artifact on all samples, or on the first so many.

        Raises:
            DataError: If a label isn't one of the classes.
        """
        reference = open_session(self.graph.path, threads=1)
        session = open_session(artifact, threads=1, emulated=self.emulated)

        def both(sample: Sample) -> tuple[Outputs, Outputs]:
            args = (None, sample.inputs, sample.origin)
            return run(reference, *args), run(session, *args)

        comparison, tops = Comparison(self.graph.outputs), (TopK(1), TopK(1))
        names = [spec.name for spec in self.graph.outputs]
        for sample, outputs in each_of(self.samples(most), both):
            comparison.add(*outputs, sample.origin)
            for top, arrays in zip(tops, outputs, strict=True) if self.labelled else ():
                top.add(dict(zip(names, arrays, strict=True)), sample)
        return _quality(comparison, tops if self.labelled else None)


def _quality(comparison: Comparison, tops: tuple[TopK, TopK] | None) -> Quality:
    checks = comparison.checks()
    finite = [c.sqnr_db for c in checks if c.sqnr_db is not None]
    agreements = [c.agreement for c in checks if c.agreement is not None]
    accuracies = [top.values()["top1"] for top in tops] if tops else None
    return Quality(
        sqnr_db=min(finite, default=None),
        agreement=min(agreements, default=None),
        accuracy=accuracies[1] if accuracies else None,
        drop=accuracies[0] - accuracies[1] if accuracies else None,
    )
