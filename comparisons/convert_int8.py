"""EfficientNet-Lite0 to int8: EdgeOpt at each effort beside its peers, on one core."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

import judging
import sides
from contenders import Contender, Task
from rounds import ROUNDS, Timing, timed
from tables import SECONDS_HEAD, commands, failures, seconds_cells, table
from verdicts import integer_layers, judged, latency

OURS = (sides.FAST, sides.DEFAULT, sides.HIGH)
SEVEN_BITS = (sides.SEVEN_BITS, sides.ORT_SEVEN_BITS)
EACH = (*OURS, *sides.PEERS, *SEVEN_BITS)
MODES = ("emulated", "harder", "here")
QUALITY_HEAD = ("SQNR dB", "agreement", "KL")
HEAD = (
    "tool", *SECONDS_HEAD, *QUALITY_HEAD, "SQNR dB, pasted", "SQNR dB, here",
    "agreement, here", "integer layers", "latency / float",
)  # fmt: skip


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = sides.efficientnet(assets)
    timings = timed(task, EACH)
    return [
        f"Whole processes from 128 photographs, verification apart, medians of {ROUNDS}; judged on "
        "512 crops of others. SQNR, agreement and KL are with exact sums (VNNI, ARM); *here* as "
        "this machine's kernels run it, which without VNNI add two 8-bit products in 16 bits; "
        "*pasted* on 128 cut-out subjects before blurred scenes, smoother than a camera's picture, "
        "where rounding errs alike at pixel after pixel. The latency is this machine's, one "
        "thread, paired. Goals: default 22.8 dB (aim 23.5), 94 %, .007; high 25.3, 95 %, .004.",
        "",
        *table(HEAD, (_row(task, side, timings[side.name]) for side in EACH)),
        *failures(EACH, timings),
        "",
        *_summary(task, timings),
        "",
        *commands(task, EACH),
    ]


def classifier_cells(verdict: dict[str, float]) -> list[str]:
    """SQNR, agreement and KL."""
    return [
        f"{verdict['sqnr_db']:.2f}",
        f"{verdict['agreement']:.1%}",
        f"{verdict['divergence']:.4f}",
    ]


def _row(task: Task, side: Contender, timing: Timing) -> list[str]:
    verdict = None if timing.failure else judged(task, side, judging.classifier, MODES)
    if verdict is None:
        return [side.name, *["-"] * (len(HEAD) - 1)]
    return [
        side.name,
        *seconds_cells(timing),
        *classifier_cells(verdict["emulated"]),
        f"{verdict['harder']['sqnr_db']:.2f}",
        *classifier_cells(verdict["here"])[:2],
        integer_layers(task, side),
        latency(task, side),
    ]


def _summary(task: Task, timings: Mapping[str, Timing]) -> list[str]:
    done = [side for side in sides.PEERS if not timings[side.name].failure]
    ours = timings[sides.DEFAULT.name]
    if ours.failure or not done:
        return []
    fastest = min(done, key=lambda side: statistics.median(timings[side.name].ratios))
    times = statistics.median(timings[fastest.name].ratios) / statistics.median(ours.ratios)
    return [
        f"- The whole of `edgeopt convert` is {times:.2f} times as fast as the fastest peer, "
        f"{fastest.name} (goal 2).",
        *(
            f"- Latency of {side.name} over {sides.ORT_MINMAX.name}, paired: "
            f"{latency(task, side, sides.ORT_MINMAX)} (goal 1)."
            for side in OURS
            if not timings[side.name].failure
        ),
    ]
