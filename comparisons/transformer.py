"""MiniLM at sequence 128 to int8: EdgeOpt beside its peers, on one core."""

from __future__ import annotations

from pathlib import Path

import judging
from contenders import Contender, Task
from rounds import ROUNDS, Timing, timed
from tables import SECONDS_HEAD, commands, failures, seconds_cells, table
from verdicts import judged, latency

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
        f"Whole processes from 64 texts, verification apart, medians of {ROUNDS}; judged on 128 "
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
        return [side.name, *["-"] * 9]
    return [
        side.name,
        *seconds_cells(timing),
        *embedding_cells(verdict["emulated"]),
        f"{verdict['here']['cosine']:.4f}",
        latency(task, side),
    ]
