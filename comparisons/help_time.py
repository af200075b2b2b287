"""How long ``edgeopt --help`` takes, beside an interpreter that does nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from processes import median_seconds, ratios, run_paired

ROUNDS = 20


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Measure, and give the lines of a Markdown table."""
    commands = {
        "ours": [sys.executable, "-m", "edgeopt", "--help"],
        "nothing": [sys.executable, "-c", "pass"],
    }
    runs = run_paired(commands, ROUNDS)
    ours, nothing = (median_seconds(runs[side]) for side in ("ours", "nothing"))
    ratio = ratios([r.seconds for r in runs["ours"]], [r.seconds for r in runs["nothing"]])
    return [
        "| whole process, s (goal 0.15) | `edgeopt --help` | `python -c pass` | ratio |",
        "|---|---|---|---|",
        f"| median of {ROUNDS} | {ours:.3f} | {nothing:.3f} | {ratio} |",
    ]


if __name__ == "__main__":
    print("\n".join(main(Path())))
