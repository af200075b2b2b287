"""Measuring on a device that can be reached: what measures goes there, and a result comes back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeopt.benchmarks.artifact import Artifact, read_artifact
from edgeopt.benchmarks.budget import Part, refused
from edgeopt.benchmarks.bundle import Bundle
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.process import UnreadableAnswerError
from edgeopt.benchmarks.result import BenchmarkReport
from edgeopt.benchmarks.store import check_writable
from edgeopt.core.errors import DataError, UsageError
from edgeopt.core.progress import Progress
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.budgets.asked import costs_for, held
from edgeopt.pipeline.budgets.file import ProjectFile
from edgeopt.pipeline.bundle import DEVICE, bundle
from edgeopt.pipeline.native import NativeProgram
from edgeopt.pipeline.reaching import probed, reached
from edgeopt.pipeline.results import import_results
from edgeopt.pipeline.runner import RESULT, PythonBundle, Runner
from edgeopt.targets import Profile, load_target
from edgeopt.targets.address import Address
from edgeopt.targets.hardware import Budget
from edgeopt.targets.transport import reach

_NONE = Budget()
_TIMING = ("threads", "batch", "duration", "processes", "seed")


def benchmark_there(
    artifacts: Sequence[str | Path],
    target: str,
    *,
    accuracy: Any,
    save: bool,
    progress: Progress,
    budget: Budget = _NONE,
    project: ProjectFile | None = None,
    binary: str | Path | None = None,
    ssh_config: Path | None = None,
    **options: Any,
) -> BenchmarkReport:
    """Measure artifacts on a device.

    Args:
        artifacts: The artifacts.
        target: The device.
        accuracy: ``top1`` and the like.
        save: Write each measurement beside its artifact.
        progress: Told how far it is.
        budget: What the artifacts may cost; what it doesn't limit, ``project`` or the profile does.
        project: The project's file.
        binary: A native program that measures there instead of Python; the profile's if None.
        ssh_config: An ssh configuration instead of the user's own.
        options: As :func:`edgeopt.bundle` has them.

    Raises:
        UsageError: If the target has no address, or adb's device no native program.
        MeasurementError: If the device can't be reached, or can't measure.
        EdgeOptError: As ``bundle`` and ``import_results``.
    """
    name, address = reached(target)
    profile = None if name is None else load_target(name)
    costs = costs_for(budget, project, DEVICE if profile is None else profile.name, profile)
    if address.scheme == "emulated" and costs.budget.max_latency_ms is not None:
        raise refused(f"{address}: its latencies are emulated", costs.sources[Part.LATENCY])
    read = [read_artifact(path) for path in artifacts]
    for artifact in read if save else ():
        check_writable(artifact.path, DEVICE if profile is None else profile.name)
    native = _native(read, profile, address, binary)
    program = None if native is None else _native_runner(native, read, profile, options)
    with (
        scratch_folder() as scratch,
        reach(address, ssh_config) as device,
    ):
        runner = program or _python_runner(
            artifacts, name or probed(device, scratch / "probed.toml", progress),
            accuracy, progress, options,
        )  # fmt: skip
        folder, answer = scratch / "bundle", scratch / RESULT
        runner.pack(folder, progress)
        with device.folder() as run:
            answer.write_bytes(runner.measure(device, run, folder, progress))
        return held(_taken(answer, artifacts, save), budget, project, profile)


def _taken(answer: Path, artifacts: Sequence[str | Path], save: bool) -> BenchmarkReport:
    """The device's answer; nobody named the file, so it isn't a wrong one that was named."""
    try:
        return import_results(answer, artifacts, save=save)
    except DataError as error:
        if isinstance(error.__cause__, UnreadableAnswerError):
            raise error.__cause__ from None
        raise


def _python_runner(
    artifacts: Sequence[str | Path],
    target: str,
    accuracy: Any,
    progress: Progress,
    options: dict[str, Any],
) -> Runner:
    wanted = accuracy if isinstance(accuracy, str) else ",".join(map(str, accuracy))

    def make(folder: Path) -> Bundle:
        return bundle(
            artifacts, folder, target=target, accuracy=wanted, progress=progress, **options
        ).bundle

    return PythonBundle(make)


def _native(
    artifacts: Sequence[Artifact],
    profile: Profile | None,
    address: Address,
    binary: str | Path | None,
) -> Path | None:
    """The native program that measures; None where Python does."""
    known = {} if profile is None else profile.binaries
    found = binary or next((known[a.format] for a in artifacts if a.format in known), None)
    if found is None and address.scheme == "adb":
        raise UsageError(
            f"{address}: adb's devices have no Python, so a native program measures there",
            hint="name LiteRT's benchmark_model, or onnxruntime_perf_test, built for the device: "
            "--benchmark-binary FILE",
        )
    if found is not None and address.scheme == "emulated":
        raise UsageError(
            f"{address}: an emulated board runs Python bundles only",
            hint="leave --benchmark-binary out",
        )
    return None if found is None else Path(found).expanduser()


def _native_runner(
    binary: Path, artifacts: Sequence[Artifact], profile: Profile | None, options: dict[str, Any]
) -> Runner:
    if options.get("evaluation") is not None:
        raise UsageError(
            f"{binary.name} gives no outputs, so it can't be evaluated on --evaluation",
            hint="leave --evaluation out",
        )
    timing = {name: options[name] for name in _TIMING if options.get(name) is not None}
    plan = Plan(**{"threads": 1 if profile is None else profile.threads, **timing})
    plan.check(len(artifacts))
    target = DEVICE if profile is None else profile.name
    return NativeProgram(binary, artifacts, target, profile, plan)
