"""Finding an artifact's quality beside the float graph's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeopt.benchmarks.metrics import Metric
from edgeopt.core.errors import DataError
from edgeopt.core.execution import Opened, open_artifact
from edgeopt.core.graph import FloatGraph
from edgeopt.core.layout import Layout
from edgeopt.core.precision import Format
from edgeopt.core.progress import Progress
from edgeopt.core.streaming import each_of
from edgeopt.pipeline.search.budget import Quality
from edgeopt.pipeline.split import Split
from edgeopt.pipeline.verify import Comparison

if TYPE_CHECKING:
    from edgeopt.data import Sample

    Outputs = list[Any]

REMEMBERED = 128 << 20
"""Bytes of the float graph's outputs that are kept; every artifact is compared with them."""


@dataclass
class Judge:
    """Runs artifacts on the evaluation samples.

    Args:
        graph: The float graph.
        fmt: What the artifacts are.
        split: Has the samples.
        metric: Makes the measure of accuracy afresh; None where accuracy isn't asked for.
        emulated: Whether integer sums are emulated: see :func:`edgeopt.core.runtime.saturates`.
        progress: Told after each sample.
        layout: Of the artifacts' image inputs.
    """

    graph: FloatGraph
    fmt: Format
    split: Split
    metric: Callable[[], Metric] | None
    emulated: bool
    progress: Progress
    layout: Layout = Layout.NCHW
    _outputs: dict[int, Outputs] = field(default_factory=dict)
    _bytes: int = 0

    def check(self) -> None:
        """Find what doesn't fit before any long step.

        Raises:
            DataError: If accuracy is asked for and there are no labels, or they don't fit the
                outputs.
        """
        if self.metric is None:
            return
        if not self.split.evaluation.labelled:
            raise DataError(
                "--max-drop needs labels to know what accuracy is",
                hint="add labels to --evaluation, or use --min-agreement or --min-sqnr",
            )
        self.accuracy  # noqa: B018 - finds it

    @cached_property
    def accuracy(self) -> float | None:
        """The float graph's; None where it isn't asked for."""
        if self.metric is None:
            return None
        metric = self.metric()
        total = self.split.count()
        found = each_of(enumerate(self.split.samples()), lambda item: self._expected(*item))
        for done, ((_, sample), outputs) in enumerate(found, 1):
            metric.add(self._named(outputs), sample)
            self.progress("evaluating the float graph", done, total)
        return _figure(metric)

    def quality(self, artifact: Path, step: str = "", most: int | None = None) -> Quality:
        """The quality of an artifact.

        Args:
            artifact: Its file.
            step: What progress is called; empty for none.
            most: Only the first so many samples, and no accuracy.

        Raises:
            DataError: If a label isn't one of the classes.
        """
        opened = open_artifact(
            artifact, self.fmt, layout=self.layout, emulated=self.emulated, exact=self.emulated
        )

        def both(item: tuple[int, Sample]) -> tuple[Outputs, Outputs]:
            sample = item[1]
            return self._expected(*item), opened.run(sample.inputs, sample.origin)

        comparison = Comparison(self.graph.outputs)
        metric = self.metric() if self.metric is not None and most is None else None
        samples: Iterable[tuple[int, Sample]] = enumerate(self.split.samples(most))
        for done, ((_, sample), outputs) in enumerate(each_of(samples, both), 1):
            comparison.add(*outputs, sample.origin)
            if metric is not None:
                metric.add(self._named(outputs[1]), sample)
            if step:
                self.progress(step, done, self.split.count(most))
        return self._quality(comparison, None if metric is None else _figure(metric))

    def _expected(self, index: int, sample: Sample) -> Outputs:
        known = self._outputs.get(index)
        if known is not None:
            return known
        outputs = self._float.run(sample.inputs, sample.origin)
        self._bytes += sum(array.nbytes for array in outputs)
        if self._bytes <= REMEMBERED:
            self._outputs[index] = outputs
        return outputs

    @cached_property
    def _float(self) -> Opened:
        return open_artifact(self.graph.path, Format.ONNX)

    def _named(self, outputs: Outputs) -> dict[str, Any]:
        return {spec.name: a for spec, a in zip(self.graph.outputs, outputs, strict=True)}

    def _quality(self, comparison: Comparison, accuracy: float | None) -> Quality:
        checks = comparison.checks()
        finite = [c.sqnr_db for c in checks if c.sqnr_db is not None]
        agreements = [c.agreement for c in checks if c.agreement is not None]
        both = accuracy is not None and self.accuracy is not None
        return Quality(
            sqnr_db=min(finite, default=None),
            agreement=min(agreements, default=None),
            accuracy=accuracy,
            drop=self.accuracy - accuracy if both else None,  # type: ignore[operator]
        )


def _figure(metric: Metric) -> float:
    return next(iter(metric.values().values()))
