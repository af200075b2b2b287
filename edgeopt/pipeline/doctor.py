"""``edgeopt doctor``: what is installed here, what works, and what each missing part needs.

Nothing of the packages is imported in this process, so that it works where one of them is broken.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import msgspec

from edgeopt.benchmarks.conditions import Machine
from edgeopt.benchmarks.device.machine import machine
from edgeopt.converters.registry import SOURCES, WRITERS, Entry
from edgeopt.converters.tensorrt.delivery import CLASSIC, rtx_installs_here
from edgeopt.converters.tensorrt.device.trtexec import VARIABLE
from edgeopt.converters.tensorrt.device.trtexec import find as trtexec
from edgeopt.core.gpu import local_gpu
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record
from edgeopt.core.version import __version__
from edgeopt.pipeline.packages import (
    PACKAGES,
    PackageState,
    State,
    check_packages,
    import_problem,
)


class Capability(Record, frozen=True):
    """Something that EdgeOpt can do where its packages are.

    Args:
        name: ``pt2``, or a format and a precision: ``onnx int8``.
        available: Whether it works here.
        install: The command that would make it work; None where it works, or where the core
            is what's missing.
    """

    name: str
    available: bool
    install: str | None = None


class Diagnosis(Record, frozen=True):
    """What was found.

    Args:
        edgeopt: The version.
        python: Python's version, and which Python it is.
        platform: The system, in one line.
        machine: Processor, instruction sets, cores, memory.
        packages: What EdgeOpt uses.
        sources: Kinds of model that can be read.
        outputs: Formats and precisions that can be made.
        gpu: The NVIDIA GPU that CUDA can use here; None without one.
        engines: What can build TensorRT engines here, and run them.
        warnings: What the user should know of this machine.
        healthy: Whether everything that EdgeOpt can't do without works.
    """

    edgeopt: str
    python: str
    platform: str
    machine: Machine
    packages: tuple[PackageState, ...]
    sources: tuple[Capability, ...]
    outputs: tuple[Capability, ...]
    gpu: str | None
    engines: tuple[Capability, ...]
    warnings: tuple[str, ...]
    healthy: bool


def doctor(*, progress: Progress = silent) -> Diagnosis:
    """Look at this installation and this machine.

    Args:
        progress: Told of each package that was imported, each in a process of its own.
    """
    states = check_packages(PACKAGES, progress=progress)
    host = msgspec.convert(machine(), Machine)
    by_module = {p.module: state for p, state in zip(PACKAGES, states, strict=True)}
    core = [state for p, state in zip(PACKAGES, states, strict=True) if p.extra is None]
    healthy = all(state.state is State.OK for state in core)
    return Diagnosis(
        edgeopt=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(terse=True),
        machine=host,
        packages=states,
        sources=tuple(_capability(n, e, by_module, healthy) for n, e in SOURCES.items()),
        outputs=tuple(
            _capability(f"{fmt.value} {precision.value}", entry, by_module, healthy)
            for (fmt, precision), entry in WRITERS.items()
        ),
        gpu=None if (gpu := local_gpu()) is None else f"{gpu.name} ({gpu.compute_capability})",
        engines=tuple(_engines(by_module["tensorrt_rtx"])),
        warnings=(*_about_builds(), *_about_processor(host)),
        healthy=healthy,
    )


def _capability(
    name: str, entry: Entry, states: Mapping[str, PackageState], core: bool
) -> Capability:
    lacking = [m for m in entry.packages if states[m].state is not State.OK]
    install = next((states[m].install for m in lacking), None)
    return Capability(name=name, available=core and not lacking, install=install)


def _engines(rtx: PackageState) -> Iterable[Capability]:
    """What of TensorRT is here; what is missing comes with the command that brings it.

    What isn't for such a machine has none.
    """
    here = local_gpu() is not None
    installs = rtx_installs_here() or rtx.state is not State.MISSING
    install = rtx.install if installs else None
    yield Capability("engines for RTX GPUs", rtx.state is State.OK, install)
    classic = _import_problem_of(CLASSIC)
    told = "pip install tensorrt, or on a Jetson: apt install tensorrt python3-libnvinfer"
    yield Capability("engines for this GPU", here and classic is None, told if here else None)
    yield Capability("trtexec", trtexec() is not None, f"{VARIABLE}=/path/to/trtexec")
    running = here and _import_problem_of("cuda.bindings") is None
    yield Capability("running engines", running, "pip install cuda-python" if here else None)


def _import_problem_of(module: str) -> str | None:
    top = module.partition(".")[0]
    return import_problem(module) if find_spec(top) is not None else "it isn't installed"


def _about_builds() -> Iterable[str]:
    # Each of them writes the module `onnxruntime`: the last one installed wins, half of the time.
    builds = [p for p in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml") if _has(p)]
    if len(builds) > 1:
        yield f"{' and '.join(builds)} are installed, and overwrite each other: uninstall one"


def _about_processor(host: Machine) -> Iterable[str]:
    flags = host.isa.value
    if flags is None:
        return
    if host.architecture.lower() in ("x86_64", "amd64") and not {"avx512_vnni", "avx_vnni"} & {
        *flags
    }:
        yield (
            "this CPU has no VNNI: int8 for the default target may saturate here and isn't fast; "
            "convert with --target x86-64 for it"
        )
    if host.architecture.lower() in ("aarch64", "arm64"):
        yield "this is an ARM machine: convert with --target arm64 for it"
        if "asimddp" not in flags:
            yield "this CPU has no dot product (asimddp): expect less speed from int8"


def _has(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
