"""MiniLM's matrix products with 4-bit weights, blocks of 32: EdgeOpt beside its peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import judging
from contenders import Contender, Task, artifact
from figures import Finding, plain
from rounds import Timing, timed
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
    sides = _sides()
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
        "Weights of 4 bits with a scale for each 32, symmetric; float arithmetic. Medians of "
        "the rounds. The gain is over onnxruntime's round to nearest; the hope was 3 dB.",
        "",
        *table(head, rows),
        *failures(sides, timings),
        "",
        *commands(task, sides),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task, found = minilm(assets), {}
    for side in _sides():
        verdict = judged(task, side, judging.embedding, ["here"])
        if verdict is not None:
            found[side.name] = verdict["here"]["sqnr_db"]
    fast, high = (found[f"int4: {side.name}"] for side in EDGEOPT)
    peer = found[f"int4: {ROUND_TO_NEAREST.name}"]
    yield plain("int4.gain", high - peer, 2, f"{high:.2f} beside {peer:.2f} dB")
    yield plain("int4.gain-size", high - fast, 2, f"{high:.2f} beside {fast:.2f} dB")


def _sides() -> list[Contender]:
    """Named apart from those of int8, whose results lie in the same file."""
    return [Contender(f"int4: {s.name}", s.command, s.environment) for s in SIDES]


def _row(
    task: Task, side: Contender, timing: Timing, verdict: Verdict | None, base: Verdict | None
) -> list[str]:
    if verdict is None:
        return [side.name, *["-"] * 11]
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
