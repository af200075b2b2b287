"""An environment for each peer: ``.cache/<peer>/``, from the pins in ``peers/<peer>.txt``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from kept import cpu, digest

HERE = Path(__file__).resolve().parent
OURS = "edgeopt"


class EnvironmentUnavailableError(RuntimeError):
    """A peer could not be installed; the message is pip's reason."""


def python(peer: str) -> Path:
    """The interpreter of a peer's environment, which is made first where it isn't there yet.

    Args:
        peer: Its name, or ``edgeopt`` for the environment that this runs in.

    Raises:
        EnvironmentUnavailableError: If it can't be installed.
    """
    if peer == OURS:
        return Path(sys.executable)
    folder = HERE / ".cache" / peer
    binaries = "Scripts" if os.name == "nt" else "bin"
    interpreter = folder / binaries / Path(_base(peer)).name
    stamp, wanted = folder / "installed", digest(pins(peer))
    if not stamp.exists() or stamp.read_text() != wanted:
        _install(peer, folder, interpreter)
        stamp.write_text(wanted)
    return interpreter


def needed(peer: str) -> str:
    """The Python that a peer needs, by the first line of its pins; empty if ours will do."""
    first, _, _ = pins(peer).read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("# python ") if first.startswith("# python ") else ""


def _base(peer: str) -> str:
    """The interpreter that a peer's environment is made with."""
    wanted = needed(peer)
    if not wanted or sys.version_info[:2] == tuple(map(int, wanted.split("."))):
        return sys.executable
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    # pyenv's own command of that name fails where the version isn't the one that was chosen.
    beside = [str(path) for path in versions.glob(f"{wanted}*/bin/python{wanted}")]
    for found in [*beside, shutil.which(f"python{wanted}")]:
        if found is not None:
            return found
    raise EnvironmentUnavailableError(f"it needs Python {wanted}: no python{wanted} here")


def pins(peer: str) -> Path:
    """The requirements file of a peer."""
    return HERE / "peers" / f"{peer}.txt"


@cache
def versions(peer: str) -> str:
    """What a peer's results depend on: its pins; or our own sources."""
    if peer == OURS:
        sources = sorted((HERE.parent / "edgeopt").rglob("*.py"))
        profiles = sorted((HERE.parent / "edgeopt").rglob("*.toml"))
        return digest(*sources, *profiles, HERE.parent / "constraints.txt")
    return digest(pins(peer))


def ours(*files: Path) -> dict[str, str]:
    """What a result of our own depends on: our sources, the processor, and files that are read.

    The comparison's own code isn't among it: where that is changed, ``--again`` measures anew.
    """
    found = {"versions": versions(OURS), "machine": cpu()}
    return {**found, "files": digest(*files)} if files else found


@cache
def _install(peer: str, folder: Path, interpreter: Path) -> None:
    print(f"installing {peer} into {folder} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([_base(peer), "-m", "venv", str(folder)])
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(pins(peer))])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise EnvironmentUnavailableError((lines or done.stderr.splitlines() or ["?"])[-1])
