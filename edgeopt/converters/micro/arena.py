"""How much memory a model takes in TFLite Micro, by its own interpreter."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from edgeopt.converters.micro import interpret
from edgeopt.core.errors import UnsupportedError

MISSING = "the package tflite-micro is not installed: pip install 'edgeopt[micro]'"

_TOTAL = re.compile(r"Arena allocation total (\d+) bytes")
_SECONDS = 300
_LAST_LINES = 2


def interpreter() -> str | None:
    """The version of TFLite Micro's interpreter that is here; None without one."""
    if find_spec("tflite_micro") is None:
        return None
    try:
        return version("tflite-micro")
    except PackageNotFoundError:
        return None


def arena_bytes(path: Path, name: str) -> int:
    """What a model takes of the tensor arena, in bytes, on this machine of 64 bits.

    Args:
        path: The ``.tflite``.
        name: What it is called in messages.

    Raises:
        UnsupportedError: If the interpreter doesn't run it; says why.
    """
    command = [sys.executable, interpret.__file__, str(path)]
    try:
        ran = subprocess.run(  # noqa: S603 - this Python and our own program
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_SECONDS,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _refused(name, f"no answer after {_SECONDS} s") from None
    found = _TOTAL.search(ran.stderr)
    if ran.returncode != 0 or found is None:
        raise _refused(name, _complaint(ran.stderr) or f"it ended with code {ran.returncode}")
    return int(found[1])


def _complaint(words: str) -> str:
    """What the interpreter said before Python's traceback."""
    said = words.partition("Traceback (most recent call last)")[0].strip().splitlines()
    return "; ".join(line.strip() for line in said[:_LAST_LINES])


def _refused(name: str, why: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name}: TFLite Micro's interpreter does not run it: {why}",
        hint="change the model, or convert for a target that LiteRT runs on",
    )
