"""``edgeopt benchmark``: artifacts in, a report with latency, memory, accuracy and ratios out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeopt.benchmarks.artifact import Artifact, read_artifact
from edgeopt.benchmarks.inputs import batch_size, save_inputs, timing_inputs
from edgeopt.benchmarks.measure import HOST, Candidate, measure
from edgeopt.benchmarks.metrics import Metric, UserFunction, read_metrics
from edgeopt.benchmarks.paired import Subject
from edgeopt.benchmarks.plan import Plan, Provider
from edgeopt.benchmarks.result import BenchmarkReport
from edgeopt.benchmarks.store import check_writable, write_measurement
from edgeopt.core.errors import MeasurementError, UsageError
from edgeopt.core.gpu import local_gpu
from edgeopt.core.precision import Format
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.budgets.asked import held
from edgeopt.pipeline.budgets.file import read_project
from edgeopt.pipeline.cores import check_cores, cores_here
from edgeopt.pipeline.evaluation import Data, Evaluation, read_evaluation
from edgeopt.pipeline.parsing import parse_names, read_budget
from edgeopt.pipeline.saturating import saturating

if TYPE_CHECKING:
    from edgeopt.data import Dataset


def benchmark(
    artifacts: Sequence[str | Path],
    *,
    evaluation: Data | None = None,
    accuracy: str | UserFunction | Sequence[str | UserFunction] = ("top1", "top5"),
    preprocess: str | Path | Preprocessing | None = None,
    target: str | None = None,
    threads: int | None = None,
    batch: int = 1,
    provider: str = "cpu",
    duration: float = 1.0,
    processes: int = 5,
    seed: int = 0,
    save: bool = True,
    code: bool = True,
    benchmark_binary: str | Path | None = None,
    max_latency: float | str | None = None,
    max_memory: int | str | None = None,
    max_size: int | str | None = None,
    config: str | Path | None = None,
    progress: Progress = silent,
) -> BenchmarkReport:
    """Measure artifacts on this machine; several are always timed together, in turns.

    Args:
        artifacts: ``.onnx`` and ``.tflite`` files, of any maker, and TensorRT engines with their
            manifests, where the GPU is that they are for.
        evaluation: Labelled data for accuracy: a ``.npz``, a folder of images, or
            ``module:function``; its first samples are the inputs that are timed. Without it those
            are seeded random numbers.
        accuracy: ``top1``, ``top5``, or ``module:function``, called as
            ``function(outputs, labels)``; one or several.
        preprocess: The contract for pictures, or a TOML file of it; an artifact's own, from its
            manifest, if None.
        target: A device, ``PROFILE@ssh://user@host``, ``PROFILE@adb://serial``,
            ``emulated://cortex-a76`` or a TOML file with an address: a bundle goes there and
            measures, on up to 100 of the evaluation data's samples. An address alone is probed.
            This machine if None.
        threads: Threads within an operator; if None the target's own number, on this machine 1.
        batch: Samples a call, for artifacts that have a dynamic batch.
        provider: What ONNX Runtime computes ONNX artifacts on: ``cpu``, ``cuda`` or ``tensorrt``;
            that it can't is an error, not a reason to take the CPU.
        duration: Time in each artifact's timed calls in each process, in s.
        processes: Fresh processes that the artifacts share; 2 or more where there are several.
        seed: Draws random inputs and every order.
        save: Write each measurement beside its artifact, ``<artifact>.host.benchmark.json``.
        code: False refuses to run code that an option names.
        benchmark_binary: A native program, built for the target, that measures there instead of
            Python: LiteRT's ``benchmark_model`` for TFLite artifacts, ``onnxruntime_perf_test`` for
            ONNX ones.
        max_latency: A budget for each artifact's median latency: ``5`` or ``"5ms"``, ``"300us"``.
            The report says what is within, and ``edgeopt.benchmarks.budget.check_budgets`` raises
            for what isn't. Where none is given here that of ``config`` holds, or a target's own.
        max_memory: Another for its peak memory: bytes or ``"64MB"``.
        max_size: Another for its file.
        config: A project's file with budgets, as ``edgeopt.toml`` is. Unlike the command line,
            this reads none unasked.
        progress: Told how far it is.

    Returns:
        A measurement for each artifact, and ratios to the first fp32 one (by the manifests; the
        first one if there is none).

    Raises:
        ModelError: If an artifact isn't there, or can't be read, loaded or run.
        UnsupportedError: If a format can't be benchmarked, or the runtime lacks an operator.
        DataError: If the evaluation data doesn't fit.
        OutputError: If a measurement can't be written, or would replace something else.
        UsageError: If an option's value isn't allowed.
        MeasurementError: If this machine can't measure it.
    """
    budget = read_budget(max_latency, max_memory, max_size)
    project = read_project(config)
    if target not in (None, HOST):
        from edgeopt.pipeline.remote import benchmark_there

        assert target is not None
        if provider != Provider.CPU:
            raise UsageError(
                f"--provider {provider} is for this machine", hint="leave it out with --target"
            )
        return benchmark_there(
            artifacts, target, evaluation=evaluation, accuracy=accuracy, preprocess=preprocess,
            threads=threads, batch=batch, duration=duration, processes=processes, seed=seed,
            save=save, code=code, progress=progress, binary=benchmark_binary,
            budget=budget, project=project,
        )  # fmt: skip
    if benchmark_binary is not None:
        raise UsageError(
            "--benchmark-binary measures on a device", hint="name it: --target PROFILE@adb://SERIAL"
        )
    threads = 1 if threads is None else threads
    plan = Plan(threads=threads, batch=batch, duration=duration, processes=processes, seed=seed)
    plan.check(len(artifacts))
    check_cores(plan.threads, cores_here())
    metrics = read_metrics(accuracy, code_allowed=code)
    judged_on = read_evaluation(evaluation, preprocess, code)
    (on,) = parse_names(Provider, [provider], "--provider")
    read = [read_artifact(path) for path in artifacts]
    _check_gpu(read, on)
    for artifact in read if save else ():
        check_writable(artifact.path, HOST)
    report = _measured_here(read, judged_on, plan, metrics, on, progress)
    for measurement in report.measurements if save else ():
        write_measurement(measurement)
    return held(report, budget, project)


def _measured_here(
    artifacts: Sequence[Artifact],
    evaluation: Evaluation,
    plan: Plan,
    metrics: Callable[[], Sequence[Metric]],
    on: Provider,
    progress: Progress,
) -> BenchmarkReport:
    with scratch_folder() as folder:
        candidates = [
            _candidate(artifact, evaluation.of(artifact), plan, Path(folder, f"{index}.npz"), on)
            for index, artifact in enumerate(artifacts)
        ]
        report = measure(candidates, plan, metrics, progress=progress)
    told = _saturating(artifacts) if evaluation.data is not None else _unsized(artifacts)
    return msgspec.structs.replace(report, notes=(*report.notes, *dict.fromkeys(told)))


def _check_gpu(artifacts: Sequence[Artifact], on: Provider) -> None:
    """Refuse what needs a GPU where there is none, before any process is started.

    Raises:
        UsageError: If a provider is named and there is no ONNX artifact.
        MeasurementError: If there is no GPU.
    """
    onnx = any(artifact.format is Format.ONNX for artifact in artifacts)
    if on is not Provider.CPU and not onnx:
        raise UsageError(
            f"--provider {on.value} is for ONNX artifacts, and there is none", hint="leave it out"
        )
    engine = next((a.name for a in artifacts if a.format is Format.TENSORRT), None)
    needing = engine or (f"--provider {on.value}" if on is not Provider.CPU else None)
    if needing is not None and local_gpu() is None:
        raise MeasurementError(
            f"{needing} needs an NVIDIA GPU, and this machine has none that CUDA can use",
            hint="measure it where one is",
        )


def _candidate(
    artifact: Artifact, data: Dataset | None, plan: Plan, stored: Path, on: Provider
) -> Candidate:
    from edgeopt.data.random import RandomDataset

    size = batch_size(artifact, plan.batch)
    specs = artifact.given()
    source = data or RandomDataset(specs, size, plan.seed)
    save_inputs(timing_inputs(artifact, source, specs, size), stored)
    return Candidate(Subject(artifact, stored, on), size, source.record(0, size), data)


def _unsized(artifacts: Sequence[Artifact]) -> Iterator[str]:
    for artifact in artifacts:
        if names := _free_dimensions(artifact):
            yield (
                f"{artifact.name}: timed with size 1 for {', '.join(names)}, since there is no "
                "evaluation data to tell its real size"
            )


def _saturating(artifacts: Sequence[Artifact]) -> Iterator[str]:
    from edgeopt.core.runtime import saturates

    if saturates():
        for artifact in artifacts:
            yield from saturating(artifact, "this CPU")


def _free_dimensions(artifact: Artifact) -> list[str]:
    # Axis 0 is the batch, which --batch sets.
    return [
        f"{spec.name}[{dim}]"
        for spec in artifact.inputs
        for dim in spec.shape[1:]
        if isinstance(dim, str)
    ]
