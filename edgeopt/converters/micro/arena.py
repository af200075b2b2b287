"""How much memory a model takes in TFLite Micro, and whether it answers as in LiteRT."""

from __future__ import annotations

import json
import math
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from edgeopt.converters.micro import interpret
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.leash import run_leashed

MISSING = "the package tflite-micro is not installed: pip install 'edgeopt[micro]'"

FLOOR_DB = 20.0
"""Integers may differ by a step where roundings do; what is below computes something else."""

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


class Trial(NamedTuple):
    """What one call in TFLite Micro's interpreter showed.

    Args:
        arena_bytes: What the model took of the tensor arena, on this machine of 64 bits.
        sqnr_db: Its worst output beside LiteRT's plain kernels', on random inputs; None where all
            are the same bit for bit.
    """

    arena_bytes: int
    sqnr_db: float | None


def try_out(path: Path, name: str) -> Trial:
    """Run a model once there.

    Args:
        path: The ``.tflite``.
        name: What it is called in messages.

    Raises:
        UnsupportedError: If the interpreter doesn't run it, or answers otherwise; says how.
    """
    try:
        ran = run_leashed(Path(interpret.__file__), [str(path)], _SECONDS)
    except subprocess.TimeoutExpired:
        raise _refused(name, f"no answer after {_SECONDS} s") from None
    words = ran.stderr.decode(errors="replace")
    found = _TOTAL.search(words)
    if ran.returncode != 0 or found is None:
        raise _refused(name, _complaint(words) or f"it ended with code {ran.returncode}")
    sqnr = min(map(_decibels, json.loads(ran.stdout)), default=math.inf)
    if not sqnr >= FLOOR_DB:  # a NaN isn't
        raise UnsupportedError(
            f"{name}: TFLite Micro's answers are {sqnr:.1f} dB from LiteRT's (floor {FLOOR_DB:g} "
            "dB), on random inputs",
            hint="change the model, or convert for a target that LiteRT runs on",
        )
    return Trial(int(found[1]), None if sqnr == math.inf else sqnr)


def _decibels(sums: dict[str, float]) -> float:
    """``10 log10(signal / noise)``; infinite where there is no noise."""
    signal, noise = sums["signal"], sums["noise"]
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def _complaint(words: str) -> str:
    """What the interpreter said before Python's traceback."""
    said = words.partition("Traceback (most recent call last)")[0].strip().splitlines()
    return "; ".join(line.strip() for line in said[:_LAST_LINES])


def _refused(name: str, why: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name}: TFLite Micro's interpreter does not run it: {why}",
        hint="change the model, or convert for a target that LiteRT runs on",
    )
