"""How long a verdict of the latency gate takes: the whole command, on a model of about 1 ms."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import ours
from figures import Finding, plain
from gate_verdicts import asked
from kept import Kept, once
from rounds import ROUNDS


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Measure, and give the lines of a Markdown table."""
    return list(_found()["lines"])


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    seconds = [taken for runs in _found()["runs"].values() for _, taken in runs]
    told = f"median {statistics.median(seconds):.1f} s of {len(seconds)}"
    yield plain("gate.time", max(seconds), 1, told)


def _found() -> dict[str, Any]:
    depends = {**ours(), "rounds": str(ROUNDS)}
    return dict(once(Kept("gate"), "time", depends, lambda: asked("time", "--runs", str(ROUNDS))))


if __name__ == "__main__":
    print("\n".join(main(Path())))
