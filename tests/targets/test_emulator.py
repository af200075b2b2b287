"""The emulated board: made once, whole or not at all, and what it says of itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgeopt.benchmarks.device import kind
from edgeopt.core.errors import MeasurementError, OutputError
from edgeopt.targets import emulator
from edgeopt.targets.address import Address
from edgeopt.targets.emulator import find, prepare
from edgeopt.targets.transport import reach

if TYPE_CHECKING:
    from tests.conftest import Emulators

PINNED = Path(__file__).parents[2] / "constraints.txt"


def test_the_marker_is_the_one_that_the_program_looks_for() -> None:
    assert emulator.MARKER == kind.MARKER


def test_wheels_are_the_versions_that_are_tested_with() -> None:
    assert set(emulator.WHEELS) <= set(PINNED.read_text(encoding="utf-8").split())


def test_it_is_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert emulator.usual_folder() == tmp_path / "edgeopt" / "emulator"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert emulator.usual_folder() == Path.home() / ".cache" / "edgeopt" / "emulator"


def _programs(folder: Path, **scripts: str) -> str:
    """A folder for PATH with these shell scripts and nothing else."""
    folder.mkdir()
    for name, script in scripts.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({}, "apt-get install qemu-user-static"),
        ({"qemu_aarch64_static": ""}, "apt-get install mmdebstrap"),
    ],
)
def test_a_program_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: dict[str, str], told: str
) -> None:
    monkeypatch.setenv("PATH", _programs(tmp_path / "bin", **there))
    with pytest.raises(MeasurementError, match=told):
        prepare("cortex-a76", tmp_path / "roots")
    assert not (tmp_path / "roots").exists()


def test_pip_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs = _programs(tmp_path / "bin", qemu_aarch64_static="", mmdebstrap="")
    monkeypatch.setenv("PATH", programs)
    monkeypatch.setattr(emulator, "find_spec", lambda name: None)
    with pytest.raises(MeasurementError, match="-m ensurepip"):
        prepare("cortex-a76", tmp_path / "roots")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("E: NO_PUBKEY 1234", "mmdebstrap failed: E: NO_PUBKEY 1234: apt-get install debian-arch"),
        ("E: no network", "mmdebstrap failed: E: no network: check the network"),
    ],
)
def test_a_root_that_could_not_be_made_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, told: str
) -> None:
    failing = f"for last; do :; done; /bin/mkdir -p $last/usr; echo '{words}' >&2; exit 25"
    programs = _programs(tmp_path / "bin", qemu_aarch64_static="", mmdebstrap=failing)
    monkeypatch.setenv("PATH", programs)
    with pytest.raises(MeasurementError, match=told):
        prepare("cortex-a76", tmp_path / "roots")
    assert [path.name for path in (tmp_path / "roots").iterdir()] == [".lock"]
    assert find("cortex-a76", tmp_path / "roots") is None


@pytest.mark.emulated
def test_what_an_interrupted_one_left_is_no_root(emulators: Emulators, tmp_path: Path) -> None:
    left = tmp_path / ".making-abc" / "root"
    left.mkdir(parents=True)
    # The other processor's root lends its files, so that nothing is fetched again.
    _lend(emulators["cortex-a76"].root, tmp_path / "cortex-a76")
    told: list[str] = []
    made = prepare("cortex-a72", tmp_path, progress=lambda step, *_: told.append(step))
    assert made.address == f"emulated://cortex-a72{tmp_path}"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "cortex-a72", "cortex-a76"]
    assert told == ["trying cortex-a72"] * 2
    assert "0xd08" in Path(made.root, "proc/cpuinfo").read_text()
    assert "0xd0b" in (tmp_path / "cortex-a76/proc/cpuinfo").read_text()
    before = Path(made.root).stat().st_ino
    assert prepare("cortex-a72", tmp_path) == made
    assert Path(made.root).stat().st_ino == before


@pytest.mark.emulated
def test_one_of_another_version_is_made_again(emulators: Emulators, tmp_path: Path) -> None:
    for cpu in emulators:
        _lend(emulators[cpu].root, tmp_path / cpu)
    marker = tmp_path / "cortex-a72" / emulator.MARKER
    marker.unlink()
    marker.write_text("{}")
    assert find("cortex-a72", tmp_path) is None
    prepare("cortex-a72", tmp_path)
    assert find("cortex-a72", tmp_path) is not None


@pytest.mark.emulated
def test_a_folder_of_the_users_own_is_let_be(emulators: Emulators, tmp_path: Path) -> None:
    _lend(emulators["cortex-a76"].root, tmp_path / "cortex-a76")
    (tmp_path / "cortex-a72").mkdir()
    with pytest.raises(OutputError, match="is there already, and is no root"):
        prepare("cortex-a72", tmp_path)
    assert list((tmp_path / "cortex-a72").iterdir()) == []


def _lend(root: str, to: Path) -> None:
    def lend(file: str, copy: str) -> None:
        try:
            os.link(file, copy)
        except OSError:  # another file system
            shutil.copy2(file, copy)

    shutil.copytree(root, to, symlinks=True, copy_function=lend)


def test_a_board_that_has_not_been_made_says_how(tmp_path: Path) -> None:
    if shutil.which("qemu-aarch64-static") is None:
        pytest.skip("no QEMU here")
    address = Address("cortex-a72", scheme="emulated", path=str(tmp_path))
    told = f"edgeopt targets emulator --cpu cortex-a72 --root {tmp_path}"
    with pytest.raises(MeasurementError, match=told), reach(address):
        pass


@pytest.mark.emulated
@pytest.mark.parametrize(("cpu", "dot_product"), [("cortex-a72", False), ("cortex-a76", True)])
def test_the_processor_is_the_one_that_was_asked_for(
    emulators: Emulators, cpu: str, dot_product: bool
) -> None:
    code = "import os; print(os.uname().machine, open('/proc/cpuinfo').read())"
    told = subprocess.run(
        [emulators[cpu].python, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert told.startswith("aarch64")
    assert ("asimddp" in told) is dot_product


@pytest.mark.emulated
def test_a_program_that_hangs_is_stopped(emulators: Emulators) -> None:
    with reach(Address("cortex-a76", scheme="emulated")) as device, device.folder() as run:
        Path(run, "hang.py").write_text(
            "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
        )
        with pytest.raises(MeasurementError, match="no result after 5 s"):
            device.start(run, ["python3", "hang.py"], timeout=5)
        assert not Path("/proc", Path(run, "pid").read_text()).exists()
    assert not Path(run).exists()
