"""How often the latency gate is wrong: its verdicts on processes that were collected before.

``gate/`` is the experiment, and adds to its raw data; here they are judged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import ours
from figures import Finding, plain
from kept import Kept, once

GATE = Path(__file__).resolve().parent / "gate"


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Judge, and give the lines of two Markdown tables."""
    return list(_found()["lines"])


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    found = _found()
    counts = found["counts"]
    for each, rival in zip(counts, found["rivals"], strict=True):
        arm = each["arm"].replace(" ", "-").removesuffix("%")
        regressions, verdicts = each["given"]["regression"], sum(each["given"].values())
        name, share = next(iter(rival["shares"].items()))
        told = f"{regressions} of {verdicts}; {name} {share:.0%}"
        yield plain(f"gate.{each['condition']}.{arm}", 100 * each["bound"], 2, told)
    (same,) = (each for each in counts if (each["condition"], each["arm"]) == ("noisy", "same"))
    yield plain("gate.noisy.pass", 100 * _share(same, "pass"), 1)
    quiet = [each for each in counts if each["condition"] == "quiet"]
    yield plain("gate.quiet.open", 100 * max(_share(each, "inconclusive") for each in quiet), 1)
    fewest = min(counts, key=lambda each: sum(each["given"].values()))
    told = f"{fewest['condition']}, {fewest['arm']}: {fewest['processes']:.1f} processes each"
    yield plain("gate.verdicts", sum(fewest["given"].values()), 0, told)


def _share(count: dict[str, Any], verdict: str) -> float:
    return float(count["given"][verdict] / sum(count["given"].values()))


def _found() -> dict[str, Any]:
    """The tables' lines, and what is counted of each candidate; kept."""
    depends = ours(*sorted((GATE / "data").glob("*.jsonl")))
    return dict(once(Kept("gate"), "verdicts", depends, lambda: asked("judge"), lasting=True))


def asked(*words: str) -> dict[str, Any]:
    """What the experiment's own program answers, as JSON: its modules have names of their own."""
    command = [sys.executable, str(GATE), *words, "--json"]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


if __name__ == "__main__":
    print("\n".join(main(Path())))
