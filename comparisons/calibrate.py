"""Calibrating EfficientNet-Lite0 on 128 photographs: EdgeOpt beside its peers, on one core."""

from __future__ import annotations

from pathlib import Path

import sides
from rounds import ROUNDS, timed
from tables import SECONDS_HEAD, commands, failures, plain_row, seconds_cells, table

GOALS = dict(zip((side.name for side in sides.CALIBRATIONS), ("1.1", "1.6", "5"), strict=True))


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = sides.efficientnet(assets)
    alone = (*sides.CALIBRATIONS, *sides.OBSERVATIONS)
    whole = (sides.DEFAULT, *sides.PEERS)
    timings = timed(task, (*alone, *whole))
    rows = [
        [side.name, kind, *seconds_cells(timings[side.name]), GOALS.get(side.name, "")]
        for kind, group in (("calibration", alone), ("whole call", whole))
        for side in group
    ]
    return [
        f"Whole processes, import included; medians of {ROUNDS}. *Plain* imports onnxruntime, "
        "loads the float model and runs the 128 samples at batch 1; each side is divided by the "
        "plain process of the same round [smallest, largest]. Most peers calibrate only as a part "
        "of the whole call.",
        "",
        *table(
            ("tool", "what it does", *SECONDS_HEAD, "goal, x plain"),
            [["plain", "inference", *plain_row(timings), ""], *rows],
        ),
        *failures((*alone, *whole), timings),
        "",
        *commands(task, (*alone, *whole)),
    ]
