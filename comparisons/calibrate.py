"""Calibrating EfficientNet-Lite0 on 128 photographs: EdgeOpt beside its peers, on one core."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import sides
from figures import Finding, Interval, paired, plain
from rounds import Timing, timed
from tables import SECONDS_HEAD, commands, failures, plain_row, seconds_cells, table

ALONE = (*sides.CALIBRATIONS, *sides.OBSERVATIONS)
WHOLE = (sides.DEFAULT, *sides.PEERS)
EFFORTS = dict(zip(("fast", "default", "exact"), sides.CALIBRATIONS, strict=True))
GOALS = dict(zip((side.name for side in sides.CALIBRATIONS), ("1.1", "1.6", "5"), strict=True))


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = sides.efficientnet(assets)
    timings = timed(task, (*ALONE, *WHOLE))
    rows = [
        [side.name, kind, *seconds_cells(timings[side.name]), GOALS.get(side.name, "")]
        for kind, group in (("calibration", ALONE), ("whole call", WHOLE))
        for side in group
    ]
    return [
        "Whole processes, import included; medians of the rounds. *Plain* imports onnxruntime, "
        "loads the float model and runs the 128 samples at batch 1; each side is divided by the "
        "plain process of the same round [smallest, largest]. Most peers calibrate only as a part "
        "of the whole call.",
        "",
        *table(
            ("tool", "what it does", *SECONDS_HEAD, "goal, x plain"),
            [["plain", "inference", *plain_row(timings), ""], *rows],
        ),
        *failures((*ALONE, *WHOLE), timings),
        "",
        *commands(task, (*ALONE, *WHOLE)),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    (peer,) = sides.OBSERVATIONS
    timings = timed(sides.efficientnet(assets), ALONE)
    beside = timings[peer.name]
    told = "" if beside.failure else f"onnxruntime's min-max {statistics.median(beside.ratios):.2f}"
    for effort, side in EFFORTS.items():
        yield paired(f"calibrate.{effort}", _over_plain(timings[side.name]), told)
    weight = "" if beside.failure else f"onnxruntime's min-max {beside.peak:.0f}"
    for effort, key in (("default", "calibrate.memory"), ("fast", "calibrate.memory-fast")):
        yield plain(key, timings[EFFORTS[effort].name].peak, 0, weight)


def _over_plain(timing: Timing) -> Interval | None:
    """The median over rounds, and the rounds' extremes."""
    if timing.failure:
        return None
    return Interval(statistics.median(timing.ratios), min(timing.ratios), max(timing.ratios))
