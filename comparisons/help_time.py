"""How long ``edgeopt --help`` takes, beside an interpreter that does nothing."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from environments import ours
from figures import Finding, plain
from kept import Kept, once
from processes import ratios, run_paired
from tables import table

ROUNDS = 20
COMMANDS = {
    "ours": [sys.executable, "-m", "edgeopt", "--help"],
    "nothing": [sys.executable, "-c", "pass"],
}


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Measure, and give the lines of a Markdown table."""
    seconds = _seconds()
    each = [f"{statistics.median(seconds[side]):.3f}" for side in COMMANDS]
    return table(
        ("whole process, s (goal 0.15)", "`edgeopt --help`", "`python -c pass`", "ratio"),
        [[f"median of {ROUNDS}", *each, ratios(seconds["ours"], seconds["nothing"])]],
    )


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    seconds = {side: statistics.median(each) for side, each in _seconds().items()}
    yield plain("start.help", seconds["ours"], 3, f"`python -c pass` {seconds['nothing']:.3f} s")


def _seconds() -> dict[str, list[float]]:
    """Of each side, round by round; kept."""
    return dict(once(Kept("help_time"), "seconds", ours(), _timed))


def _timed() -> dict[str, list[float]]:
    runs = run_paired(COMMANDS, ROUNDS)
    return {side: [run.seconds for run in each] for side, each in runs.items()}


if __name__ == "__main__":
    print("\n".join(main(Path())))
