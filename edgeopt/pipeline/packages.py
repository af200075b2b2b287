"""The packages that EdgeOpt uses, and whether each works here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record

SLOWEST_IMPORT = 120.0
"""Seconds after which an import counts as hanging."""


@dataclass(frozen=True)
class Package:
    """A requirement of pyproject.toml; a test holds the two equal.

    Args:
        module: Its import name.
        distribution: Its name for pip.
        minimum: The oldest version that is supported.
        extra: The extra that brings it; None for the core.
    """

    module: str
    distribution: str
    minimum: str
    extra: str | None = None

    @property
    def install(self) -> str:
        """The command that installs it."""
        if self.extra is not None:
            return f"pip install 'edgeopt[{self.extra}]'"
        return f"pip install '{self.distribution}>={self.minimum}'"


PACKAGES = (
    Package("click", "click", "8.1"),
    Package("jinja2", "jinja2", "3.1"),
    Package("msgspec", "msgspec", "0.19"),
    Package("numpy", "numpy", "1.26"),
    Package("onnx", "onnx", "1.17"),
    Package("onnx_ir", "onnx-ir", "0.1.14"),
    Package("onnxruntime", "onnxruntime", "1.20"),
    Package("PIL", "pillow", "10"),
    Package("rich", "rich", "13"),
    Package("torch", "torch", "2.8", "torch"),
    Package("onnxscript", "onnxscript", "0.5", "torch"),
    Package("safetensors", "safetensors", "0.4", "torch"),
    Package("tensorflow", "tensorflow", "2.18", "tensorflow"),
    Package("tf2onnx", "tf2onnx", "1.17", "tensorflow"),
    Package("ai_edge_litert", "ai-edge-litert", "2.0", "tflite"),
    Package("flatbuffers", "flatbuffers", "24", "tflite"),
    Package("tensorrt_rtx", "tensorrt-rtx", "1.7", "tensorrt"),
    Package("tflite_micro", "tflite-micro", "0.dev20250101", "micro"),
    Package("fsspec", "fsspec", "2024.2", "store"),
    Package("ruptures", "ruptures", "1.1.8", "history"),
    Package("ai_edge_quantizer", "ai-edge-quantizer", "0.10", "quantizer"),
    Package("litert_torch", "litert-torch", "0.10", "litert-torch"),
)


class State(StrEnum):
    """How a package is."""

    OK = "ok"
    MISSING = "missing"
    OLD = "too old"
    BROKEN = "broken"


class PackageState(Record, frozen=True):
    """One package on this machine.

    Args:
        name: Its name for pip.
        extra: The extra that brings it; None for the core.
        state: How it is.
        version: The installed version.
        problem: What is wrong, in one line.
        install: The command that mends it.
    """

    name: str
    extra: str | None
    state: State
    version: str | None = None
    problem: str | None = None
    install: str | None = None


def check_packages(
    packages: Sequence[Package], *, progress: Progress = silent
) -> tuple[PackageState, ...]:
    """Look each package up, and import those that are there, each in a process of its own.

    A crash while importing (an instruction that the processor lacks) is a finding, too.
    """
    step, total = "importing what is installed", len(packages)
    states = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for state in pool.map(check_package, packages):
            states.append(state)
            progress(step, len(states), total)
    return tuple(states)


def check_package(package: Package) -> PackageState:
    """Whether one package is there, new enough, and can be imported."""
    found = _version(package.distribution)
    if find_spec(package.module) is None:
        if found is None:
            return _state(package, State.MISSING, None, None)
        return _state(package, State.BROKEN, found, "its files are missing")
    # A package without metadata (a build of one's own) has no version to be too old.
    if found is not None and _numbers(found) < _numbers(package.minimum):
        return _state(package, State.OLD, found, f"needs {package.minimum} or newer")
    problem = import_problem(package.module)
    if problem and found is None:  # a folder of that name in the current one is not the package
        return _state(package, State.MISSING, None, None)
    return _state(package, State.BROKEN if problem else State.OK, found, problem)


def _state(package: Package, state: State, found: str | None, problem: str | None) -> PackageState:
    install = {
        State.OK: None,
        State.MISSING: package.install,
        State.OLD: package.install,
        State.BROKEN: f"pip install --force-reinstall '{package.distribution}>={package.minimum}'",
    }[state]
    return PackageState(
        name=package.distribution,
        extra=package.extra,
        state=state,
        version=found,
        problem=problem,
        install=install,
    )


def import_problem(module: str) -> str | None:
    """What goes wrong when a module is imported in a process of its own; None if nothing does."""
    # -P: a file of that name in the current folder is not the package.
    command = [sys.executable, "-P", "-c", f"import {module}"]
    try:
        ran = subprocess.run(  # noqa: S603 - this Python and a module name from this file
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SLOWEST_IMPORT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"importing it takes more than {SLOWEST_IMPORT:.0f} s"
    if ran.returncode == 0:
        return None
    if ran.returncode < 0:
        return f"importing it crashes (signal {-ran.returncode})"
    last = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
    return f"importing it fails: {last}"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``2.13.0+cpu`` gives (2, 13, 0)."""
    release = text.partition("+")[0].split(".")
    return tuple(int(part) for part in release if part.isdecimal())
