"""Verifying an artifact against the float graph, in the runtime of its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeopt.benchmarks.engine import open_engine
from edgeopt.converters.tensorrt.delivery import fits_here
from edgeopt.core.execution import Run, open_artifact
from edgeopt.core.graph import FloatGraph
from edgeopt.core.manifest import Delegation, Verification
from edgeopt.core.precision import Format, Precision
from edgeopt.core.progress import Progress
from edgeopt.core.runtime import saturates
from edgeopt.pipeline.kernels import compare_kernels
from edgeopt.pipeline.meaning import changed_meaning
from edgeopt.pipeline.options import ConvertOptions
from edgeopt.pipeline.split import Split
from edgeopt.pipeline.verify import compare, verification
from edgeopt.targets import Profile

MEANING_SAMPLES = 2
"""Samples on which integer kernels are compared with float arithmetic between QDQ pairs."""

KERNEL_SAMPLES = 8
"""Samples on which LiteRT's two sets of kernels are compared: the built-in ones are slow, and what
they do otherwise shows on the first."""


@dataclass(frozen=True)
class Checked:
    """What is known of an artifact by running it.

    Args:
        verification: The artifact against the float graph.
        builtin: The same with LiteRT's built-in kernels.
        delegation: What XNNPACK computes of it.
        warnings: What the user should know.
    """

    verification: Verification
    builtin: Verification | None = None
    delegation: Delegation | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checker:
    """What artifacts of one conversion are verified with.

    Args:
        graph: The float graph.
        reference: Runs it.
        split: The samples.
        options: The conversion's.
        target: The device.
        progress: Told how far it is.
    """

    graph: FloatGraph
    reference: Run
    split: Split
    options: ConvertOptions
    target: Profile
    progress: Progress

    def check(
        self, fmt: Format, precision: Precision, artifact: Path, stand_in: Path | None = None
    ) -> Checked:
        """Verify one artifact.

        Args:
            fmt: Its format.
            precision: Its precision.
            artifact: The file.
            stand_in: What is run in its place where it can't be.

        Raises:
            ModelError: If its runtime can't load it.
        """
        if fmt is Format.TFLITE:
            return self._tflite(precision, artifact)
        if fmt is Format.TENSORRT and stand_in is not None:
            return self._stand_in(precision, artifact, stand_in)
        # What this machine's kernels get wrong and the target's don't is not the artifact's fault.
        emulated = precision.adds_integers and self.target.exact_sums and saturates()
        opened = open_artifact(artifact, fmt, emulated=emulated, exact=emulated)
        checked = self._verification(precision, opened.run, artifact, emulated=emulated)
        rewritten = precision.static and self.target.runs_here(fmt)
        return Checked(checked, warnings=self._changes(artifact) if rewritten else ())

    def _stand_in(self, precision: Precision, engine: Path, onnx: Path) -> Checked:
        if engine.is_file() and fits_here(self.target):
            opened = open_engine(engine, [spec.name for spec in self.graph.outputs], engine.name)
            return Checked(self._verification(precision, opened.run, engine))
        # As they stand, Q and DQ say what an engine computes, whatever this CPU's kernels do.
        emulated = precision.adds_integers
        opened = open_artifact(onnx, Format.ONNX, emulated=emulated)
        checked = self._verification(precision, opened.run, onnx, emulated=emulated)
        return Checked(msgspec.structs.replace(checked, stand_in=True))

    def _tflite(self, precision: Precision, artifact: Path) -> Checked:
        layout = self.options.layout_of(Format.TFLITE)
        opened = open_artifact(artifact, Format.TFLITE, layout=layout)
        checked = self._verification(precision, opened.run, artifact)
        kernels = compare_kernels(
            artifact,
            self.reference,
            list(self.split.samples(KERNEL_SAMPLES)),
            self.graph.outputs,
            layout=layout,
        )
        builtin = checked  # the same kernels, where XNNPACK takes nothing
        if kernels.builtin is not None:
            data, floor = self.split.record(KERNEL_SAMPLES), self.options.floor(precision)
            builtin = verification("float graph", data, floor, kernels.builtin)
        return Checked(checked, builtin, kernels.delegation, kernels.warnings)

    def _verification(
        self, precision: Precision, run: Run, artifact: Path, *, emulated: bool = False
    ) -> Verification:
        checks = compare(
            self.reference,
            run,
            self.split.samples(),
            self.graph.outputs,
            step=f"verifying {artifact.name}",
            total=self.split.count(),
            parallel=True,
            progress=self.progress,
        )
        floor = self.options.floor(precision)
        return verification("float graph", self.split.record(), floor, checks, emulated=emulated)

    def _changes(self, artifact: Path) -> tuple[str, ...]:
        samples = self.split.samples(MEANING_SAMPLES)
        return changed_meaning(artifact, self.reference, samples, exact=self.target.exact_sums)
