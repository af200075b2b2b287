"""EfficientNet-Lite0 to int8: EdgeOpt at each effort beside its peers, on one core."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

import judging
import sides
from contenders import Contender, Task
from figures import Finding, paired, plain
from rounds import Timing, timed
from tables import SECONDS_HEAD, commands, failures, seconds_cells, table
from verdicts import Verdict, integer_layers, judged, latency, paired_latency

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
        "Whole processes from 128 photographs, verification apart, medians of rounds; judged on "
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
    fastest = _fastest(timings)
    if timings[sides.DEFAULT.name].failure or fastest is None:
        return []
    times = _relative(timings, fastest) / _relative(timings, sides.DEFAULT)
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


def _fastest(timings: Mapping[str, Timing]) -> Contender | None:
    done = [side for side in sides.PEERS if not timings[side.name].failure]
    return min(done, key=lambda side: _relative(timings, side), default=None)


def _relative(timings: Mapping[str, Timing], side: Contender) -> float:
    """A side's time over the plain process's, the median of rounds."""
    return statistics.median(timings[side.name].ratios)


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task = sides.efficientnet(assets)
    timings = timed(task, EACH)
    verdicts = {
        side: verdict
        for side in (*OURS, *sides.PEERS)
        if not timings[side.name].failure
        and (verdict := judged(task, side, judging.classifier, MODES)) is not None
    }
    yield from _quality(verdicts)
    fastest = _fastest(timings)
    assert fastest is not None
    times = {side: _relative(timings, side) for side in (*OURS, fastest, sides.ORT_MINMAX)}
    ort = timings[sides.ORT_MINMAX.name]
    yield plain("int8.speed", times[fastest] / times[sides.DEFAULT], 2, fastest.name)
    yield plain("int8.speed-fast", times[sides.ORT_MINMAX] / times[sides.FAST], 2)
    high = timings[sides.HIGH.name].median
    yield plain("int8.time-high", high, 1, f"{sides.ORT_MINMAX.name} {ort.median:.1f} s")
    for key, side in (("int8.memory", sides.DEFAULT), ("int8.memory-fast", sides.FAST)):
        ours = timings[side.name].peak
        yield plain(key, ours / ort.peak, 2, f"{ours:.0f} of {ort.peak:.0f} MB")
    for key, side in (("int8.latency", sides.DEFAULT), ("int8.latency-high", sides.HIGH)):
        over_float = latency(task, sides.ORT_MINMAX)
        found = paired_latency(task, side, sides.ORT_MINMAX)
        yield paired(key, found, f"its own over float {over_float}, ours {latency(task, side)}")


def _quality(verdicts: Mapping[Contender, Verdict]) -> Iterator[Finding]:
    exact = {side: verdict["emulated"] for side, verdict in verdicts.items()}
    peers = [side for side in sides.PEERS if side in exact]
    loudest = max(peers, key=lambda side: exact[side]["sqnr_db"])
    surest = max(peers, key=lambda side: exact[side]["agreement"])
    nearest = min(peers, key=lambda side: exact[side]["divergence"])
    told = {
        "sqnr": f"{loudest.name} {exact[loudest]['sqnr_db']:.2f} dB",
        "agreement": f"{surest.name} {exact[surest]['agreement']:.1%}",
        "kl": f"{nearest.name} {exact[nearest]['divergence']:.4f}",
    }
    for end, side in (("", sides.DEFAULT), ("-high", sides.HIGH)):
        ours = exact[side]
        yield plain(f"int8.sqnr{end}", ours["sqnr_db"], 2, told["sqnr"])
        yield plain(f"int8.agreement{end}", 100 * ours["agreement"], 1, told["agreement"])
        yield plain(f"int8.kl{end}", ours["divergence"], 4, told["kl"])
    fast, theirs = (exact[side]["sqnr_db"] for side in (sides.FAST, sides.ORT_MINMAX))
    yield plain("int8.sqnr-fast", fast - theirs, 2, f"{fast:.2f} beside {theirs:.2f} dB")
