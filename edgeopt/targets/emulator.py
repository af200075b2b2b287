"""The emulated ARM64 board: a root of Debian packages and aarch64 wheels, run by QEMU.

A root is whole or it isn't there: it is made under another name, tried, and then renamed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from edgeopt.core.errors import MeasurementError, OutputError
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record, to_json
from edgeopt.core.refusals import reporting
from edgeopt.targets.cores import CORES

DEBIAN = "bookworm"
PYTHON = "3.11"
PACKAGES = ("python3", f"libpython{PYTHON}-stdlib", "libstdc++6", "libgomp1")
WHEELS = ("numpy==2.4.6", "onnxruntime==1.32.0", "ai-edge-litert==2.3.0")
"""Pinned, so that every machine emulates the same board."""

PLATFORMS = tuple(f"manylinux{tag}_aarch64" for tag in ("_2_28", "_2_27", "2014", "_2_17"))

MARKER = "etc/edgeopt-emulated"
"""Says to the program that measures in a root that it is no device: ``device/kind.py``'s name."""

START = "emulated-python3"
"""In a root: a program of this machine's that is the board's ``python3``."""

QEMU = ("qemu-aarch64-static", "qemu-aarch64")
_MAKING = ".making-"

# Variables that choose a kernel for this machine's processor mean nothing to another's.
_START_SCRIPT = """#!/bin/sh
root=$(dirname "$(readlink -f "$0")")
for name in {names}; do qemu=$(command -v "$name") && break; done
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE PYTHONHOME PYTHONPATH
export EDGEOPT_PYTHON="$root/{start}"
exec "${{qemu:?install qemu-user-static}}" -cpu {cpu} -L "$root" "$root/usr/bin/python3" "$@"
"""

_TRIAL = "import ai_edge_litert.interpreter, numpy, onnxruntime, os; print(os.uname().machine)"


class Recipe(Record, frozen=True):
    """What a root was made from; in the file that marks it as emulated.

    Args:
        cpu: The processor.
        debian: The release.
        packages: Of Debian's.
        wheels: With their versions.
        description: The digest of the files that describe the board.
    """

    cpu: str
    debian: str = DEBIAN
    packages: tuple[str, ...] = PACKAGES
    wheels: tuple[str, ...] = WHEELS
    description: str = ""


class Emulator(Record, frozen=True):
    """A root that can be used.

    Args:
        cpu: The processor.
        root: The folder.
        python: The board's Python, to be started on this machine.
        address: For ``--target``.
    """

    cpu: str
    root: str
    python: str
    address: str


def usual_folder() -> Path:
    """Where roots are kept: in the user's cache (``XDG_CACHE_HOME``)."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "edgeopt", "emulator")


def prepare(
    cpu: str = "cortex-a76", root: str | Path | None = None, *, progress: Progress = silent
) -> Emulator:
    """Make the root of an emulated board, if it isn't there already.

    Args:
        cpu: ``cortex-a72`` or ``cortex-a76``.
        root: The folder of all roots; the user's cache folder if None.
        progress: Told how far it is.

    Raises:
        MeasurementError: If a program is missing here, or packages can't be had.
        OutputError: If the folder can't be written, or holds something else.
    """
    folder = usual_folder() if root is None else Path(root).absolute()
    if (found := find(cpu, folder)) is not None:
        return found
    _check_tools()
    with reporting(folder, "choose another folder with --root"), _alone(folder):
        # Another process may have made it while this one waited.
        if find(cpu, folder) is None:
            _make(cpu, folder, progress)
    return _emulator(cpu, folder)


def find(cpu: str, folder: Path) -> Emulator | None:
    """The root for a processor, if it is there and was made from today's recipe."""
    try:
        marked = (folder / cpu / MARKER).read_bytes()
    except OSError:
        return None
    return _emulator(cpu, folder) if marked == _marker(cpu) else None


def qemu() -> str:
    """QEMU's emulator of ARM64 programs.

    Raises:
        MeasurementError: If it isn't installed here.
    """
    found = next(filter(None, map(shutil.which, QEMU)), None)
    if found is None:
        raise MeasurementError(
            "qemu-aarch64-static is not installed here", hint="apt-get install qemu-user-static"
        )
    return found


def _emulator(cpu: str, folder: Path) -> Emulator:
    place = "" if folder == usual_folder() else str(folder)
    root = folder / cpu
    return Emulator(cpu, str(root), str(root / START), f"emulated://{cpu}{place}")


def _marker(cpu: str) -> bytes:
    text = CORES[cpu].cpuinfo(1) + _start_script(cpu)
    return to_json(Recipe(cpu, description=hashlib.sha256(text.encode()).hexdigest()))


def _start_script(cpu: str) -> str:
    return _START_SCRIPT.format(names=" ".join(QEMU), start=START, cpu=cpu)


def _check_tools() -> None:
    qemu()
    if shutil.which("mmdebstrap") is None:
        raise MeasurementError(
            "mmdebstrap is not installed here, which fetches the board's Debian packages",
            hint="apt-get install mmdebstrap",
        )
    if find_spec("pip") is None:
        raise MeasurementError(
            "this Python has no pip, which fetches the board's wheels",
            hint=f"{sys.executable} -m ensurepip",
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process makes roots in ``folder``; what another left unfinished goes."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(f"{_MAKING}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _make(cpu: str, folder: Path, progress: Progress) -> None:
    _check_place(folder / cpu)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_MAKING) as scratch:
        root = Path(scratch, "root")
        twin = next((o for o in CORES if o != cpu and find(o, folder) is not None), None)
        if twin is not None:
            # All but what describes the processor is the same, and so are the files.
            shutil.copytree(folder / twin, root, symlinks=True, copy_function=os.link)
        else:
            _fill(root, Path(scratch), progress)
        _describe(cpu, root)
        progress(f"trying {cpu}", 3, 4)
        _try(root)
        if (folder / cpu).exists():
            (folder / cpu).replace(Path(scratch, "former"))
        root.replace(folder / cpu)
    progress(f"trying {cpu}", 4, 4)


def _check_place(root: Path) -> None:
    if root.exists() and not (root / MARKER).is_file():
        raise OutputError(
            f"{root}: is there already, and is no root of an emulated board",
            hint="choose another folder with --root",
        )


def _fill(root: Path, scratch: Path, progress: Progress) -> None:
    progress(f"Debian {DEBIAN}'s packages for ARM64", 0, 4)
    # Nothing is installed, packages are only unpacked: no right of root's is needed.
    mode = "root" if os.geteuid() == 0 else "chrootless"
    _run(
        "mmdebstrap", "--quiet", "--variant=extract", f"--mode={mode}", "--architectures=arm64",
        f"--include={','.join(PACKAGES)}", DEBIAN, str(root),
    )  # fmt: skip
    progress("wheels for ARM64", 1, 4)
    platforms = [word for tag in PLATFORMS for word in ("--platform", tag)]
    wheels = scratch / "wheels"
    _run(
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        *platforms, "--python-version", PYTHON, "--implementation", "cp", "--dest", str(wheels),
        *WHEELS,
    )  # fmt: skip
    progress("unpacking wheels", 2, 4)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root / f"usr/local/lib/python{PYTHON}/dist-packages")


def _describe(cpu: str, root: Path) -> None:
    """Write what a program reads of the board: its processor, and that it is emulated."""
    _replace(root / "proc/cpuinfo", CORES[cpu].cpuinfo(os.cpu_count() or 1).encode())
    _replace(root / "proc/device-tree/model", f"{cpu}, emulated".encode())
    _replace(root / START, _start_script(cpu).encode())
    (root / START).chmod(0o755)
    _replace(root / MARKER, _marker(cpu))


def _replace(path: Path, data: bytes) -> None:
    # A file that is written over would change in the root that shares it, too.
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def _try(root: Path) -> None:
    """Import everything there, which leaves it compiled for whoever comes next."""
    told = _run(str(root / START), "-c", _TRIAL)
    if told.strip() != "aarch64":
        raise MeasurementError(
            f"the emulated board says it is {told.strip()!r}",
            hint="update QEMU: qemu-user-static",
        )


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if done.returncode != 0:
        raise MeasurementError(_why(command, done.stderr), hint=_next_step(done.stderr))
    return done.stdout


def _why(command: Sequence[str], words: str) -> str:
    name = "pip download" if "pip" in command else Path(command[0]).name
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error"))]
    return f"{name} failed: {(errors or lines or ['it said nothing'])[-1]}"


def _next_step(words: str) -> str:
    if "keyring" in words or "NO_PUBKEY" in words:
        return "apt-get install debian-archive-keyring"
    if "space left" in words:
        return "a root takes 250 MB: choose another folder with --root"
    return "check the network, and what apt and pip are configured to use"
