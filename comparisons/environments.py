"""An environment for each peer: ``.cache/<peer>/``, from the pins in ``peers/<peer>.txt``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from kept import digest

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
    interpreter = folder / binaries / Path(sys.executable).name
    stamp, wanted = folder / "installed", digest(pins(peer))
    if not stamp.exists() or stamp.read_text() != wanted:
        _install(peer, folder, interpreter)
        stamp.write_text(wanted)
    return interpreter


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


@cache
def _install(peer: str, folder: Path, interpreter: Path) -> None:
    print(f"installing {peer} into {folder} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(pins(peer))])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise EnvironmentUnavailableError((lines or done.stderr.splitlines() or ["?"])[-1])
