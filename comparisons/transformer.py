"""MiniLM at sequence 128 to int8: EdgeOpt beside its peers, on one core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import judging
from contenders import Contender, Task
from figures import Finding, Interval, paired, plain
from rounds import Timing, timed
from tables import SECONDS_HEAD, commands, failures, seconds_cells, table
from verdicts import judged, latency, paired_latency

_CONVERT = "edgeopt convert {model} --precision int8 --calibration {calibration} --no-verify"
_SAMPLES = "{model} {calibration} {out}/model.onnx"
SIDES = (
    Contender("edgeopt, fast", f"{_CONVERT} --effort fast -o {{out}}"),
    Contender("edgeopt, default", f"{_CONVERT} -o {{out}}"),
    Contender("edgeopt, high", f"{_CONVERT} --effort high -o {{out}}"),
    Contender(
        "onnxruntime, dynamic",
        "python {peers}/onnxruntime_dynamic.py {model} {out}/model.onnx",
        "onnxruntime",
    ),
    Contender(
        "onnxruntime, min-max, matrix products alone",
        f"python {{peers}}/onnxruntime_static.py {_SAMPLES} --ops MatMul,Gemm --no-symbolic-shapes",
        "onnxruntime",
    ),
    Contender("nncf", f"python {{peers}}/nncf_int8.py {_SAMPLES} --transformer", "nncf"),
    Contender(
        "modelopt, max", f"python {{peers}}/modelopt_quantize.py {_SAMPLES} int8 max", "modelopt"
    ),
)
QUALITY_HEAD = ("cosine", "worst", "1-NN", "SQNR dB")


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = minilm(assets)
    timings = timed(task, SIDES)
    head = ("tool", *SECONDS_HEAD, *QUALITY_HEAD, "cosine, here", "latency / float")
    return [
        "Whole processes from 64 texts, verification apart, medians of the rounds; judged on 128 "
        "other sentences by the embedding's cosine with float's, its smallest, and how many "
        "sentences keep their nearest neighbour; with exact sums, and *here* as this machine's "
        "kernels run it. Goals: cosine .9988 (high), .998 (default), latency ratio .40.",
        "",
        *table(head, (_row(task, side, timings[side.name]) for side in SIDES)),
        *failures(SIDES, timings),
        "",
        *commands(task, SIDES),
    ]


def minilm(assets: Path) -> Task:
    """The task: MiniLM and 64 texts; 128 others are held out."""
    return Task(
        "minilm",
        assets / "minilm.onnx",
        assets / "minilm_calibration.npz",
        assets / "minilm_heldout.npz",
    )


def embedding_cells(verdict: dict[str, float]) -> list[str]:
    """Cosine, the worst, agreement of neighbours, SQNR."""
    return [
        f"{verdict['cosine']:.4f}",
        f"{verdict['worst']:.4f}",
        f"{verdict['neighbours']:.1%}",
        f"{verdict['sqnr_db']:.2f}",
    ]


def _row(task: Task, side: Contender, timing: Timing) -> list[str]:
    verdict = None if timing.failure else judged(task, side, judging.embedding)
    if verdict is None:
        return [side.name, *["-"] * 10]
    return [
        side.name,
        *seconds_cells(timing),
        *embedding_cells(verdict["emulated"]),
        f"{verdict['here']['cosine']:.4f}",
        latency(task, side),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task, peers = minilm(assets), [side for side in SIDES if not side.ours]
    timings = timed(task, SIDES)
    cosines, latencies = {}, {}
    for side in SIDES:
        verdict = None if timings[side.name].failure else judged(task, side, judging.embedding)
        if verdict is not None:
            cosines[side] = verdict["emulated"]["cosine"]
            latencies[side] = paired_latency(task, side)
    nearest = max((side for side in peers if side in cosines), key=cosines.__getitem__)
    fastest = min((side for side in peers if side in cosines), key=lambda s: _point(latencies[s]))
    _, default, high = SIDES[:3]
    for end, side in (("", default), ("-high", high)):
        near = f"{nearest.name} {cosines[nearest]:.4f}"
        yield plain(f"minilm.cosine{end}", cosines[side], 4, near)
        quick = f"{fastest.name} {latencies[fastest]}"
        yield paired(f"minilm.latency{end}", latencies[side], quick)


def _point(found: Interval | None) -> float:
    return float("inf") if found is None else found.point
