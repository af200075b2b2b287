"""What is installed, what is broken, and the command that mends it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edgeopt.benchmarks.conditions import Machine, Reading
from edgeopt.converters.registry import SOURCES, WRITERS
from edgeopt.converters.tensorrt.delivery import rtx_installs_here
from edgeopt.core.record import from_json, to_json
from edgeopt.pipeline import doctor as doctoring
from edgeopt.pipeline.doctor import Diagnosis, doctor
from edgeopt.pipeline.packages import PACKAGES, Package, State, check_package

ROOT = Path(__file__).parents[2]
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)>=(?P<minimum>[\d.]+(?:dev\d+)?)")


def test_this_installation() -> None:
    found = doctor()
    assert found.healthy
    core = [p for p in found.packages if p.extra is None]
    assert {p.state for p in core} == {State.OK}
    assert all(p.version for p in core)
    assert [o.name for o in found.outputs] == [f"{f} {p}" for f, p in WRITERS]
    assert {"onnx fp32", "onnx int8", "onnx auto"} <= {o.name for o in found.outputs}
    elsewhere = not rtx_installs_here()
    assert all(o.available or (elsewhere and "tensorrt" in o.name) for o in found.outputs)
    engines = {engine.name: engine for engine in found.engines}
    assert engines["engines for RTX GPUs"].available or not rtx_installs_here()
    assert engines["engines for this GPU"].available <= (found.gpu is not None)
    assert from_json(to_json(found), Diagnosis, where="it") == found


def test_the_packages_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = {(r, None) for r in project["dependencies"]}
    declared |= {(r, e) for e, requirements in extras.items() for r in requirements if e != "all"}
    wanted = set()
    for text, extra in declared:
        match = REQUIREMENT.match(text)
        assert match, text
        wanted.add((match["name"], match["minimum"], extra))
    assert {(p.distribution, p.minimum, p.extra) for p in PACKAGES} == wanted


def test_every_package_of_a_converter_is_known() -> None:
    needed = {m for e in (*SOURCES.values(), *WRITERS.values()) for m in e.packages}
    assert needed <= {p.module for p in PACKAGES}


def test_it_imports_none_of_the_packages_it_judges(tmp_path: Path) -> None:
    code = """
import sys
import edgeopt.pipeline.doctor
print([n for n in ("numpy", "onnx", "onnxruntime", "torch", "PIL", "rich") if n in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages can be put into."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, version: str, code: str | None) -> None:
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n", encoding="utf-8")
    if code is not None:
        (folder / f"{name}.py").write_text(code, encoding="utf-8")


@pytest.mark.parametrize(
    ("version", "code", "state", "problem"),
    [
        ("2.0", "", State.OK, None),
        ("2.0.1+cpu", "", State.OK, None),
        ("10.0rc1", "", State.OK, None),
        ("1.9", "", State.OLD, "needs 2.0 or newer"),
        ("2.0", None, State.BROKEN, "its files are missing"),
        ("2.0", "import no_such_module", State.BROKEN, "No module named 'no_such_module'"),
        ("2.0", "raise OSError('libx.so: not found')", State.BROKEN, "libx.so: not found"),
    ],
)
def test_a_package(
    installed: Path, version: str, code: str | None, state: State, problem: str | None
) -> None:
    put(installed, "frobnicate", version, code)
    found = check_package(Package("frobnicate", "frobnicate", "2.0", "torch"))
    assert (found.state, found.version) == (state, version)
    assert (problem or "") in (found.problem or "")
    assert (found.problem is None) == (problem is None)
    assert (found.install is None) == (state is State.OK)
    assert "\n" not in (found.problem or "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_package_that_crashes_when_imported(installed: Path) -> None:
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
    put(installed, "frobnicate", "2.0", code)
    found = check_package(Package("frobnicate", "frobnicate", "2.0"))
    assert found.state is State.BROKEN
    assert found.problem == "importing it crashes (signal 4)"


def test_a_package_that_is_missing() -> None:
    found = check_package(Package("frobnicate", "frobnicate", "2.0", "torch"))
    assert (found.state, found.version, found.problem) == (State.MISSING, None, None)
    assert found.install == "pip install 'edgeopt[torch]'"


def test_a_folder_of_the_same_name_is_not_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frobnicate").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_package(Package("frobnicate", "frobnicate", "2.0")).state is State.MISSING


def host(architecture: str, isa: tuple[str, ...] | None) -> Machine:
    absent: Reading[str] = Reading(absent="not read")
    return Machine(
        system="Linux",
        release="6",
        architecture=architecture,
        python="3.11",
        board=absent,
        cpu=absent,
        isa=Reading(value=isa) if isa is not None else Reading(absent="not read"),
        cores=Reading(value=4),
        usable_cores=Reading(value=4),
        memory_bytes=Reading(value=10**9),
    )


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        (host("x86_64", ("avx2", "avx512_vnni")), []),
        (host("AMD64", ("avx2", "avx_vnni")), []),
        (host("x86_64", ("avx2",)), ["--target x86-64"]),
        (host("aarch64", ("asimd", "asimddp")), ["--target arm64"]),
        (host("aarch64", ("asimd",)), ["--target arm64", "asimddp"]),
        (host("AMD64", None), []),
    ],
)
def test_what_the_processor_means_for_int8(machine: Machine, told: list[str]) -> None:
    found = list(doctoring._about_processor(machine))
    assert len(found) == len(told)
    assert all(part in text for part, text in zip(told, found, strict=True))
