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
QUALITY_HEAD = ("SQNR dB", "agreement", "KL")
HEAD = (
    "tool", *SECONDS_HEAD, *QUALITY_HEAD, *(f"{word}, here" for word in QUALITY_HEAD),
    "integer layers", "latency / float",
)  # fmt: skip


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = sides.efficientnet(assets)
    timings = timed(task, EACH)
    return [
        f"Whole processes from 128 photographs, verification apart, medians of {ROUNDS}; judged on "
        "512 others. SQNR, agreement and KL are with exact sums (VNNI, ARM); *here* as this "
        "machine's kernels run it, which without VNNI add two 8-bit products in 16 bits. The "
        "latency is this machine's, one thread, paired.",
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
    verdict = None if timing.failure else judged(task, side, judging.classifier)
    if verdict is None:
        return [side.name, *["-"] * (len(HEAD) - 1)]
    return [
        side.name,
        *seconds_cells(timing),
        *classifier_cells(verdict["emulated"]),
        *classifier_cells(verdict["here"]),
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
