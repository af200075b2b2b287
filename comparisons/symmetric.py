"""EfficientNet-Lite0 under TensorRT's symmetric rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import judging
import sides
from convert_int8 import QUALITY_HEAD, classifier_cells
from figures import Finding, plain
from rounds import timed
from tables import SECONDS_HEAD, commands, failures, seconds_cells, table
from verdicts import judged


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = sides.efficientnet(assets)
    timings = timed(task, sides.SYMMETRIC)
    rows = []
    for side in sides.SYMMETRIC:
        timing = timings[side.name]
        verdict = None
        if not timing.failure:
            verdict = judged(task, side, judging.classifier, ["emulated", "harder"])
        cells = ["-"] * 8
        if verdict is not None:
            harder = f"{verdict['harder']['sqnr_db']:.2f}"
            cells = [*seconds_cells(timing), *classifier_cells(verdict["emulated"]), harder]
        rows.append([side.name, *cells])
    return [
        "int8 with zero point 0 everywhere, judged with exact sums; medians of the rounds. Goal: "
        "22.6 dB.",
        "",
        *table(("tool", *SECONDS_HEAD, *QUALITY_HEAD, "SQNR dB, pasted"), rows),
        *failures(sides.SYMMETRIC, timings),
        "",
        *commands(task, sides.SYMMETRIC),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task, found = sides.efficientnet(assets), {}
    for side in sides.SYMMETRIC:
        verdict = judged(task, side, judging.classifier, ["emulated", "harder"])
        if verdict is not None:
            found[side] = verdict["emulated"]["sqnr_db"]
    best = max((side for side in found if not side.ours), key=found.__getitem__)
    high = next(side for side in found if side.ours and "high" in side.name)
    yield plain("symmetric.sqnr", found[high], 2, f"{best.name} {found[best]:.2f} dB")
