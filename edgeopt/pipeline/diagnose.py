"""``edgeopt diagnose``: where an artifact loses accuracy and time against its float graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from edgeopt.core.errors import DataError, ModelError, UsageError
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Manifest, manifest_path, read_manifest
from edgeopt.core.precision import Precision
from edgeopt.core.progress import Progress, silent
from edgeopt.core.runtime import saturates
from edgeopt.core.scratch import scratch_folder
from edgeopt.data import Sample, check_exists
from edgeopt.pipeline.diagnosis import layers as stand_out
from edgeopt.pipeline.diagnosis.columns import find_unlike
from edgeopt.pipeline.diagnosis.distributions import SAMPLES as DRAWN
from edgeopt.pipeline.diagnosis.distributions import distributions
from edgeopt.pipeline.diagnosis.profile import time_ops
from edgeopt.pipeline.diagnosis.records import (
    DiagnosisResult,
    LayerDiagnosis,
    OutputDiagnosis,
    Trial,
)
from edgeopt.pipeline.diagnosis.reference import Reference, find_reference
from edgeopt.pipeline.diagnosis.rules import Findings, suggest
from edgeopt.pipeline.diagnosis.runtime_records import Timing
from edgeopt.pipeline.diagnosis.samples import Chosen, choose_samples
from edgeopt.pipeline.diagnosis.sides import Sides, Sums, prepare, run_sides
from edgeopt.pipeline.diagnosis.structure import inserted_ops
from edgeopt.pipeline.diagnosis.trials import SAMPLES as TRIED_ON
from edgeopt.pipeline.diagnosis.trials import try_changes
from edgeopt.pipeline.diagnosis.weights import compare_weights
from edgeopt.pipeline.given import read_given
from edgeopt.pipeline.inspection.graph import open_graph


def diagnose(
    artifact: str | Path,
    *,
    evaluation: Any = None,
    samples: int = 32,
    reference: Any = None,
    weights: str | Path | None = None,
    input: Iterable[str] = (),
    min_sqnr: float | None = None,
    code: bool = True,
    progress: Progress = silent,
) -> DiagnosisResult:
    """Run an artifact beside its float graph, and say where it loses accuracy and time.

    Args:
        artifact: An int8 or fp16 artifact with its manifest beside it; a ``.failed`` one too.
        evaluation: Data to run on, in the forms that :func:`edgeopt.convert` takes. Without it:
            what the artifact was verified on, else what it was calibrated on, where that is still
            there and unchanged; else random inputs.
        samples: How many of them, at most.
        reference: The model that it was made from, in any form that ``convert`` takes. Without it:
            an fp32 artifact of the same model beside the artifact, else the manifest's source.
        weights: The weights of a factory's model.
        input: ``--input`` options, as at conversion, where the model's file can't tell its inputs.
        min_sqnr: An SQNR in dB below which a layer has fallen off, instead of 20 (int8) and
            40 (fp16).
        code: False refuses to run code that the options or the manifest name.
        progress: Told how far each step is.

    Raises:
        ModelError: If it isn't an artifact of ours, or its float graph can't be had.
        DataError: If the data doesn't fit.
        UsageError: If an option's value isn't allowed.
    """
    if samples < 1:
        raise UsageError(f"--samples {samples}: not enough", hint="give 1 or more")
    path = Path(artifact)
    manifest = _described(path)
    check_exists(evaluation)
    chosen = choose_samples(manifest, evaluation, samples, code_allowed=code)
    given = read_given(reference, weights=weights, input=input, code=code)
    threshold = stand_out.threshold(manifest.precision) if min_sqnr is None else min_sqnr
    with scratch_folder() as scratch:
        progress("making the float graph", 0, None)
        found = find_reference(path, manifest, given, scratch, progress)
        run = _Diagnosis(path, manifest, found, chosen, threshold, scratch, progress)
        return run.result()


def _described(path: Path) -> Manifest:
    """The manifest of an artifact that can be diagnosed."""
    open_graph(path, action="diagnosed", readable=".onnx")
    manifest = read_manifest(path)
    if manifest is None:
        beside = manifest_path(path)
        if beside.is_file():
            raise ModelError(
                f"{path}: was changed since its manifest was written",
                hint="convert again, or fetch the artifact again",
            )
        raise ModelError(
            f"{path}: has no manifest beside it ({beside.name})",
            hint="name an artifact that `edgeopt convert` made, in its folder",
        )
    if manifest.precision is Precision.FP32:
        raise UsageError(
            f"{path}: is fp32, which is the float graph itself",
            hint="diagnose an int8 or fp16 artifact; `edgeopt benchmark` measures this one",
        )
    return manifest


class _Diagnosis:
    """One run: its steps share the float graph and the samples."""

    def __init__(
        self,
        artifact: Path,
        manifest: Manifest,
        reference: Reference,
        chosen: Chosen,
        threshold_db: float,
        scratch: Path,
        progress: Progress,
    ) -> None:
        self.artifact, self.manifest, self.reference = artifact, manifest, reference
        self.chosen, self.threshold_db = chosen, threshold_db
        self.integers = stand_out.has_integers(manifest.precision)
        self.ceiling_db = stand_out.ceiling(manifest.precision)
        self.scratch, self.progress = scratch, progress

    def result(self) -> DiagnosisResult:
        sides = prepare(self.reference.path, self.artifact, self.scratch)
        sums = self._compared(sides)
        layers = stand_out.diagnose_layers(sides.points, sums, self.ceiling_db)
        below = stand_out.first_below(layers, self.threshold_db)
        drop, noisiest = stand_out.largest_drop(layers), stand_out.noisiest(layers)
        found = Findings(
            precision=self.manifest.precision,
            recipe=self.manifest.recipe,
            data_from=self.chosen.origin,
            calibrated=self._calibrated(),
            threshold_db=self.threshold_db,
            saturating=self.integers and saturates(),
            outputs=_outputs(sums, self.integers),
            layers=layers,
            weights=tuple(compare_weights(*self._graphs())),
            unlike_scales=find_unlike(sides.points, sums.columns, sums.encodings),
            trials=self._tried(layers, (noisiest, drop, below)),
        )
        steps = list(suggest(found))
        return DiagnosisResult(
            artifact=str(self.artifact),
            sha256=self.manifest.sha256,
            precision=found.precision,
            target=found.recipe.target,
            reference=self.reference.told,
            data=self.chosen.record,
            data_from=found.data_from,
            calibrated=found.calibrated,
            threshold_db=found.threshold_db,
            ceiling_db=self.ceiling_db,
            saturating=found.saturating,
            outputs=found.outputs,
            layers=layers,
            first_below=below,
            largest_drop=drop,
            noisiest=noisiest,
            weights=found.weights,
            unlike_scales=found.unlike_scales,
            float_layers=self.manifest.float_layers,
            inserted=inserted_ops(self.reference.path, self.artifact, self.scratch),
            timing=self._timed(),
            trials=found.trials,
            distributions=distributions(
                layers, sides.float_path, sides.float_names, self._samples(DRAWN)
            ),
            suggestion=steps[0],
            further=tuple(steps[1:]),
            warnings=self.chosen.warnings,
        )

    def _samples(self, most: int | None = None) -> Iterable[Sample]:
        return self.chosen.samples(self.manifest, most)

    def _compared(self, sides: Sides) -> Sums:
        sums = run_sides(
            sides,
            self.artifact,
            self.manifest,
            self._samples(),
            total=self.chosen.count,
            progress=self.progress,
        )
        if sums.samples == 0:
            raise DataError(
                f"{self.chosen.record.location}: gave no samples", hint="give --evaluation"
            )
        return sums

    def _tried(
        self, layers: Sequence[LayerDiagnosis], standing_out: Iterable[str | None]
    ) -> tuple[Trial, ...]:
        if not self.integers:
            return ()
        return try_changes(
            layers,
            standing_out,
            (self.reference.path, self.artifact),
            partial(self._samples, TRIED_ON),
            self.manifest.outputs,
            ceiling_db=self.ceiling_db,
            scratch=self.scratch,
            progress=self.progress,
        )

    def _timed(self) -> Timing:
        self.progress("timing operators", 0, None)
        first = next(iter(self._samples(1)))
        return time_ops(self.reference.path, self.artifact, first.inputs, self.scratch)

    def _calibrated(self) -> int | None:
        used = [record.used for record in self.manifest.calibration]
        return sum(stop - start for start, stop in used) if used else None

    def _graphs(self) -> tuple[ir.Graph, ir.Graph]:
        paths = (self.reference.path, self.artifact)
        one, other = (ir.load(path, format="protobuf").graph for path in paths)
        return one, other


def _outputs(sums: Sums, integer: bool) -> tuple[OutputDiagnosis, ...]:
    pairs = zip(sums.exact.checks(), sums.kernels.checks(), strict=True)
    return tuple(
        OutputDiagnosis(exact=exact, kernels=kernels if integer else None)
        for exact, kernels in pairs
    )
