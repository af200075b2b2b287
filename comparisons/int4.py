"""MiniLM's matrix products with 4-bit weights, blocks of 32: EdgeOpt beside its peers."""

from __future__ import annotations

from pathlib import Path

import judging
from contenders import Contender, Task, artifact
from rounds import ROUNDS, Timing, timed
from tables import SECONDS_HEAD, commands, failures, seconds_cells, table
from transformer import QUALITY_HEAD, embedding_cells, minilm
from verdicts import Verdict, judged, latency

_SAMPLES = "{model} {calibration} {out}/model.onnx"
_CONVERT = "edgeopt convert {model} --precision int4-weight --no-verify -o {out}"
EDGEOPT = (
    Contender("edgeopt, fast", f"{_CONVERT} --calibration {{calibration}} --effort fast"),
    Contender("edgeopt, high", f"{_CONVERT} --calibration {{calibration}} --effort high"),
)
ROUND_TO_NEAREST = Contender(
    "onnxruntime, round to nearest",
    "python {peers}/onnxruntime_int4.py {model} {out}/model.onnx 32",
    "onnxruntime",
)
SIDES = (
    *EDGEOPT,
    ROUND_TO_NEAREST,
    Contender("nncf, scale estimation", f"python {{peers}}/nncf_int4.py {_SAMPLES} 32", "nncf"),
    *(
        Contender(
            f"modelopt, {method}",
            f"python {{peers}}/modelopt_quantize.py {_SAMPLES} int4 {method} 32",
            "modelopt",
        )
        for method in ("rtn_dq", "awq_clip")
    ),
)


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = minilm(assets)
    sides = [Contender(f"int4: {s.name}", s.command, s.environment) for s in SIDES]
    timings = timed(task, sides)
    verdicts = {
        side.name: None
        if timings[side.name].failure
        else judged(task, side, judging.embedding, ["here"])
        for side in sides
    }
    base = verdicts[f"int4: {ROUND_TO_NEAREST.name}"]
    rows = [_row(task, side, timings[side.name], verdicts[side.name], base) for side in sides]
    head = ("tool", *SECONDS_HEAD, "file MB", *QUALITY_HEAD, "gain dB", "latency / float")
    return [
        f"Weights of 4 bits with a scale for each 32, symmetric; float arithmetic. Medians of "
        f"{ROUNDS}. The gain is over onnxruntime's round to nearest; the hope was 3 dB.",
        "",
        *table(head, rows),
        *failures(sides, timings),
        "",
        *commands(task, sides),
    ]


def _row(
    task: Task, side: Contender, timing: Timing, verdict: Verdict | None, base: Verdict | None
) -> list[str]:
    if verdict is None:
        return [side.name, *["-"] * 10]
    found = verdict["here"]
    gain = "-" if base is None else f"{found['sqnr_db'] - base['here']['sqnr_db']:+.2f}"
    return [
        side.name,
        *seconds_cells(timing),
        f"{artifact(side, task).stat().st_size / 1e6:.1f}",
        *embedding_cells(found),
        gain,
        latency(task, side),
    ]
