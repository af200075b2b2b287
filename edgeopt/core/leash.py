"""Running a Python program in a process that doesn't outlive this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeopt.core import leashed


def run_leashed(
    program: Path, arguments: Sequence[str], timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; it is killed when this process is.

    Nothing is imported from the folder that the user happens to stand in.

    Args:
        program: A ``.py`` file, or a folder with a ``__main__.py``.
        arguments: What it is called with.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: If it was.
    """
    command = [sys.executable, "-P", leashed.__file__, str(program), *arguments]
    leash, held = os.pipe()
    try:
        return subprocess.run(  # noqa: S603 - this Python and a program of ours
            command, stdin=leash, capture_output=True, timeout=timeout, check=False
        )
    finally:
        os.close(leash)
        os.close(held)
