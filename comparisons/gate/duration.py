"""How long ``edgeopt compare`` takes for a verdict, from its start to its end."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from family import made
from pool import BATCH

CANDIDATES = {"same": "baseline", "slower 5%": "slower 5%", "slower 10%": "slower 10%"}


Runs = dict[str, list[tuple[str, float]]]
"""By candidate: the verdict of each run, and the seconds that it took."""


def timed(runs: int) -> Runs:
    """Run the command.

    Args:
        runs: Of each candidate.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = made(Path(folder))
        return {
            name: [_run(paths["baseline"], paths[file]) for _ in range(runs)]
            for name, file in CANDIDATES.items()
        }


def shown(found: Runs) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| candidate | verdicts | s, median | s, longest |"
    yield "|---|---|--:|--:|"
    for name, runs in found.items():
        given, seconds = ([each[part] for each in runs] for part in (0, 1))
        told = ", ".join(f"{given.count(each)} {each}" for each in dict.fromkeys(given))
        yield f"| {name} | {told} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |"


def _run(baseline: Path, candidate: Path) -> tuple[str, float]:
    words = ["compare", str(baseline), str(candidate), "--batch", str(BATCH), "--json", "--quiet"]
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "edgeopt", *words], capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    if not ran.stdout:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)["verdict"], seconds
