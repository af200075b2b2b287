"""What every artifact of a conversion is made from and checked with, each found once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.writer import Kept
from edgeopt.core.execution import Opened, open_artifact
from edgeopt.core.graph import FloatGraph
from edgeopt.core.manifest import DataRecord, Verification
from edgeopt.core.precision import Format, Precision
from edgeopt.core.progress import Progress
from edgeopt.core.runtime import saturates
from edgeopt.core.tensors import Batch
from edgeopt.data import Dataset, Sample, fill_batches
from edgeopt.pipeline.calibrated import Calibrated
from edgeopt.pipeline.checking import Checker
from edgeopt.pipeline.kept import kept_layers
from edgeopt.pipeline.observation import Share
from edgeopt.pipeline.options import ConvertOptions
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.route import Route, route_of
from edgeopt.pipeline.search.judge import Judge
from edgeopt.pipeline.split import Split, split_data
from edgeopt.pipeline.undefined import Undefined
from edgeopt.pipeline.verify import Outputs, compare, verification
from edgeopt.targets import Profile

SOURCE_SAMPLES = 32
"""The float graph is checked against the source on at most this many samples: what differs between
two float programs shows on the first."""


@dataclass
class Material:
    """The model, the data and what is learnt of them; each part is found on first use.

    Args:
        prepared: The model.
        options: All of the conversion's.
        target: The device.
        progress: Told how far each step is.
    """

    prepared: Preparation
    options: ConvertOptions
    target: Profile
    progress: Progress
    _judges: dict[Format, Judge] = field(default_factory=dict)

    @property
    def graph(self) -> FloatGraph:
        """The float graph."""
        return self.prepared.graph

    @cached_property
    def data(self) -> Dataset | None:
        """The calibration data."""
        given = self.options.calibration
        return None if given is None else self.prepared.dataset(given)

    @cached_property
    def split(self) -> Split:
        """Which samples are for what."""
        given = self.options.evaluation
        evaluation = None if given is None else self.prepared.dataset(given)
        return split_data(self.graph.inputs, self.data, evaluation, hold_out=self.options.verify)

    @cached_property
    def calibrated(self) -> Calibrated:
        """What integer artifacts are calibrated with."""
        share = None if self.data is None else Share(self.data, 0, self.split.calibrated)
        return Calibrated(
            self.prepared,
            share,
            self.options.table,
            self.options.effort,
            self.options.ranges,
            self.progress,
        )

    @property
    def build(self) -> BuildOptions:
        """How engines are built."""
        return replace(self.options.build, ranges=self.prepared.ranges)

    @cached_property
    def route(self) -> Route:
        """How TFLite artifacts are made."""
        return route_of(self.options, self.prepared.source, self.graph)

    def calibration_samples(self) -> Iterable[Sample]:
        """Every sample that may be calibrated on."""
        if self.data is None:
            return ()
        return fill_batches(self.data.samples(0, self.split.calibrated), self.graph.inputs)

    def calibrates(self, fmt: Format, precision: Precision) -> bool:
        """Whether an artifact is made with our calibration."""
        ours = fmt is not Format.TFLITE or not self.route.official
        return ours and self.options.calibrates(precision)

    def calibration_records(self, fmt: Format, precision: Precision) -> tuple[DataRecord, ...]:
        """The samples that an artifact is calibrated on."""
        if self.calibrates(fmt, precision):
            return self.calibrated.table.header.data
        if precision.needs_calibration and self.data is not None:
            return (self.data.record(0, self.split.calibrated),)
        return ()

    @cached_property
    def kept(self) -> Kept:
        """The layers that the user keeps from 8 bits."""
        return kept_layers(self.graph.path, self.options)

    @cached_property
    def reference(self) -> Opened:
        """The float graph, opened."""
        return open_artifact(self.graph.path, Format.ONNX)

    @cached_property
    def checker(self) -> Checker:
        """What verifies an artifact."""
        return Checker(
            self.graph, self.reference.run, self.split, self.options, self.target, self.progress
        )

    @cached_property
    def source_check(self) -> Verification | None:
        """The float graph against the source."""
        if not self.options.verify:
            return None
        checks = compare(
            self._answers,
            self.reference.run,
            self.split.samples(SOURCE_SAMPLES),
            self.graph.outputs,
            step="checking the float graph",
            total=self.split.count(SOURCE_SAMPLES),
            parallel=False,  # PyTorch has threads of its own
            progress=self.progress,
        )
        data, floor = self.split.record(SOURCE_SAMPLES), self.options.floor(Precision.FP32)
        return verification("source", data, floor, checks)

    def _answers(self, inputs: Batch, _origin: str) -> Outputs:
        answers = self.prepared.source.run(inputs)
        self.undefined.add(answers)
        return answers

    @cached_property
    def undefined(self) -> Undefined:
        """Where the model itself answers NaN; known once it was run."""
        return Undefined(self.graph.outputs)

    def judge(self, fmt: Format) -> Judge:
        """What a search asks, its data already checked."""
        if fmt not in self._judges:
            emulated = fmt is Format.ONNX and self.target.exact_sums and saturates()
            metric = self.options.search.metric
            layout = self.options.layout_of(fmt)
            judge = Judge(self.graph, fmt, self.split, metric, emulated, self.progress, layout)
            judge.check()
            self._judges[fmt] = judge
        return self._judges[fmt]
