"""``edgeopt validate model``: whether an artifact is fit to be shipped, or measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from edgeopt.benchmarks.artifact import Artifact, read_artifact
from edgeopt.core.errors import (
    DataError,
    MeasurementError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.core.files import sha256, size_of, weights_of
from edgeopt.core.gpu import local_gpu
from edgeopt.core.precision import Format
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.scratch import scratch_folder
from edgeopt.data import check_exists
from edgeopt.pipeline.evaluation import Data, Evaluation
from edgeopt.pipeline.given import GivenModel, read_given
from edgeopt.pipeline.inspection.beside import manifest_beside
from edgeopt.pipeline.inspection.records import ManifestState
from edgeopt.pipeline.parsing import parse_agreement
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.validation.answers import (
    Floors,
    check_accuracy,
    check_recorded,
    check_reference,
)
from edgeopt.pipeline.validation.records import Finding, Level, ModelValidation
from edgeopt.pipeline.validation.running import CALLS, Ran, check_running, run_once
from edgeopt.pipeline.validation.taker import (
    check_source_options,
    classes_of,
    is_artifact,
    operators_of,
    outputs_of,
)
from edgeopt.pipeline.validation.verdict import judged, worst

if TYPE_CHECKING:
    from edgeopt.data import Dataset


def validate_model(
    artifact: str | Path,
    *,
    reference: Any = None,
    evaluation: Data | None = None,
    min_sqnr: float | None = None,
    min_agreement: str | float | None = None,
    min_accuracy: str | float | None = None,
    threads: int = 1,
    seed: int = 0,
    strict: bool = False,
    input: Iterable[str] = (),
    weights: str | Path | None = None,
    signature: str | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    code: bool = True,
    progress: Progress = silent,
) -> ModelValidation:
    """Check an artifact: that it loads, runs, and gives the answers it should.

    It runs in fresh processes, so that a runtime which crashes on it is a failed check.

    Args:
        artifact: A ``.onnx`` or ``.tflite`` file, of any maker; a TensorRT engine where its GPU is.
        reference: What it is to answer as: a float artifact, or a model as
            :func:`edgeopt.convert` takes it. If None, what its manifest recorded when it was made
            is held against the floors.
        evaluation: Samples to run it on; with labels its top-1 accuracy is told. Seeded random
            numbers if None.
        min_sqnr: The least SQNR beside the reference, in dB; that of its precision if None: 80 for
            fp32, 40 for fp16, else 10.
        min_agreement: The least share of samples with the reference's class: ``99%`` or 0.99.
        min_accuracy: The least top-1 accuracy: ``90%`` or 0.9.
        threads: Threads within an operator.
        seed: Draws random inputs.
        strict: Whether warnings are failures.
        input: Of a reference that isn't an artifact, as in :func:`edgeopt.convert`.
        weights: Likewise.
        signature: Likewise.
        preprocess: The contract for pictures; the artifact's own if None.
        code: False refuses to run code that an option names.
        progress: Told how far it is.

    Returns:
        Every check; that one failed is no exception, see :func:`check_validation`.

    Raises:
        ModelError: If the artifact isn't there, or the reference can't be read or run.
        UnsupportedError: If it is no such file.
        DataError: If the evaluation data doesn't fit.
        UsageError: If an option's value isn't allowed, or a floor has nothing to hold it against.
        MeasurementError: If its runtime or its GPU isn't here.
    """
    began = monotonic()
    floors = _floors(min_sqnr, min_agreement, min_accuracy, evaluation)
    given = read_given(
        reference, input=input, weights=weights, signature=signature, preprocess=preprocess,
        code=code,
    )  # fmt: skip
    check_source_options(given, "--reference")
    check_exists(evaluation)
    path = Path(artifact)
    try:
        read = read_artifact(artifact)
    except ModelError as error:
        if not path.is_file():
            raise
        return _unreadable(artifact, error, monotonic() - began)
    floors.check_reference(read, reference=reference is not None)
    _check_gpu(read)
    with scratch_folder() as scratch:
        job = _Job(
            artifact=read,
            folder=scratch,
            evaluation=evaluation,
            floors=floors,
            given=replace(given, preprocessing=_contract(read, given)),
            threads=threads,
            seed=seed,
            progress=progress,
        )
        beside = None
        if reference is not None:
            beside = job.reference()
        ran, data = job.ran(), job.data(read)
        answers = job.answers(beside) if ran.answer is not None else ()
        findings = judged((_manifest(path), *ran.findings, *answers), strict=strict)
    return ModelValidation(
        level=worst(findings),
        findings=findings,
        artifact=read.name,
        sha256=read.sha256,
        size_bytes=read.size_bytes,
        format=read.format,
        precision=read.precision,
        inputs=read.inputs,
        operators=operators_of(read),
        runtime=None if ran.answer is None else ran.answer.runtime,
        samples=data.record(0, CALLS),
        reference=None if reference is None else str(reference),
        seconds=monotonic() - began,
    )


def _floors(
    sqnr: float | None,
    agreement: str | float | None,
    accuracy: str | float | None,
    evaluation: Data | None,
) -> Floors:
    if sqnr is not None and not math.isfinite(sqnr):
        raise UsageError(f"--min-sqnr is {sqnr}", hint="use a number of dB")
    if accuracy is not None and evaluation is None:
        raise UsageError("--min-accuracy needs labelled data", hint="name it with --evaluation")
    return Floors(
        sqnr=sqnr,
        agreement=parse_agreement(agreement),
        accuracy=parse_agreement(accuracy, "--min-accuracy"),
    )


def _contract(artifact: Artifact, given: GivenModel) -> Preprocessing | None:
    stored = artifact.manifest.preprocessing if artifact.manifest else None
    return given.preprocessing or stored


def _unreadable(artifact: str | Path, error: ModelError, seconds: float) -> ModelValidation:
    path = Path(artifact)
    told = error.message.removeprefix(f"{path}: ")
    loads = Finding(name="loads", level=Level.FAIL, found="no", why=f"{told} ({error.hint})")
    return ModelValidation(
        level=Level.FAIL,
        findings=(_manifest(path), loads),
        artifact=str(artifact),
        sha256=sha256(path),
        size_bytes=size_of(path),
        format=next(fmt for fmt in Format if fmt.suffix == path.suffix.lower()),
        precision=None,
        inputs=(),
        operators={},
        runtime=None,
        samples=None,
        reference=None,
        seconds=seconds,
    )


def _manifest(path: Path) -> Finding:
    """Whether the file is the one that was made."""
    state, manifest, told = manifest_beside(path)
    if manifest is not None:
        # What lies beside a large model isn't in its manifest.
        apart = ", that of its weights beside it is unknown" if weights_of(path).is_file() else ""
        found = f"its digest is this file's{apart}"
        return Finding(name="manifest", level=Level.PASS, found=found)
    if state is ManifestState.ABSENT:
        why = "nothing tells which bytes it should have: EdgeOpt writes a manifest beside a file"
        return Finding(name="manifest", level=Level.SKIPPED, found="none", why=why)
    return Finding(name="manifest", level=Level.FAIL, found=state.value, why=told[0])


def _check_gpu(artifact: Artifact) -> None:
    if artifact.format is Format.TENSORRT and local_gpu() is None:
        raise MeasurementError(
            f"{artifact.name} can't be run here: it needs an NVIDIA GPU, and this machine has none "
            "that CUDA can use",
            hint="validate it where one is, or the ONNX artifact that it was made from",
        )


@dataclass(frozen=True)
class _Job:
    """One validation.

    Args:
        artifact: The artifact.
        folder: For inputs and a reference's float graph.
        evaluation: The data; None if there is none.
        floors: What answers must reach.
        given: The reference, with what becomes of pictures.
        threads: Threads within an operator.
        seed: Draws random inputs.
        progress: Told how far it is.
    """

    artifact: Artifact
    folder: Path
    evaluation: Data | None
    floors: Floors
    given: GivenModel
    threads: int
    seed: int
    progress: Progress

    def data(self, artifact: Artifact) -> Dataset:
        """The samples as an artifact takes them."""
        from edgeopt.data.random import RandomDataset

        given = Evaluation(self.evaluation, self.given.preprocessing, self.given.code_allowed)
        return given.of(artifact) or RandomDataset(artifact.given(), CALLS, self.seed)

    def ran(self) -> Ran:
        """What came of running it."""
        self.progress(f"running {self.artifact.path.name}", 0, None)
        return check_running(self.artifact, self.data(self.artifact), self.folder, self.threads)

    def reference(self) -> Artifact:
        """Make the reference ready; one that crashes is noticed in a process of its own.

        Raises:
            ModelError: If it can't be run.
        """
        if is_artifact(self.given.model):
            read = read_artifact(self.given.model)
        else:
            prepared = Preparation(self.given, self.folder, self.progress)
            read = read_artifact(prepared.graph.path)
        try:
            run_once(read, self.data(read), self.folder, self.threads)
        except (ModelError, UnsupportedError) as error:
            raise ModelError(f"as a reference, {error.message}", hint=error.hint) from error
        return read

    def answers(self, reference: Artifact | None) -> Iterator[Finding]:
        """The checks of what it answers."""
        data = self.data(self.artifact)
        if reference is None:
            yield from check_recorded(self.artifact, self.floors)
        else:
            both = data, self.data(reference)
            yield from check_reference(self.artifact, reference, both, self.floors, self.progress)
        if self.evaluation is not None:
            yield from self._accuracy(data)

    def _accuracy(self, data: Dataset) -> Iterator[Finding]:
        asked = self.floors.accuracy is not None
        if not data.labelled:
            if asked:
                raise DataError(
                    "the evaluation data has no labels, which --min-accuracy needs",
                    hint="put an array `labels` into the .npz, or pictures into folders by class",
                )
            return
        manifest = self.artifact.manifest
        outputs = manifest.outputs if manifest else outputs_of(self.artifact)
        if asked or classes_of(outputs) is not None:
            yield check_accuracy(self.artifact, data, self.floors, self.progress)
