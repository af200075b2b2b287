"""MiniLM to TFLite, float and with int8 weights: EdgeOpt beside LiteRT's own converter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from contenders import Contender, Task
from figures import Finding, paired, plain
from judging import run, sqnr
from kept import Kept, cpu, digest, once
from tables import commands, table
from tflite import latency, made, paired_latency
from transformer import minilm

from edgeopt.core.litert import open_litert

TEXTS = 128
"""Held-out texts that files are judged on."""

_OURS = "edgeopt convert {model} --to tflite --no-verify -o {out}"
_PEER = "python {peers}/litert_transformer.py {model} {calibration} {out}/model.tflite"

FLOATS = (
    Contender("edgeopt, float", f"{_OURS} --precision fp32"),
    Contender("litert-torch, float", f"{_PEER} --float", "litert"),
)
INTEGERS = (
    Contender("edgeopt, int8-dynamic", f"{_OURS} --precision int8-dynamic"),
    Contender(
        "edgeopt, int8",
        f"{_OURS} --precision int8 --calibration {{calibration}}",
    ),
    Contender("litert-torch + ai-edge-quantizer, dynamic", _PEER, "litert"),
)
HEAD = ("tool", "s", "size MB", "cosine", "SQNR dB", "latency / litert-torch's")


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = minilm(assets)
    program = Task(task.name, assets / "minilm.pt2", task.calibration, task.held_out)
    rows = []
    for group in (FLOATS, INTEGERS):
        found = {side: made(side, task if side.ours else program) for side in group}
        official = next((found[side] for side in group if not side.ours), None)
        rows += [_row(side, found[side], official, task) for side in group]
    return [
        f"One text of 128 tokens a call; judged in LiteRT with XNNPACK on {TEXTS} texts against "
        "ONNX Runtime's float. Processor seconds of whole processes on one core, verification "
        "apart: EdgeOpt from the float ONNX, the official tools from the `.pt2`. Latency is "
        "paired, one thread. Goals: latency and size at most 1.02.",
        "",
        *table(HEAD, rows),
        "",
        *commands(task, (*FLOATS, *INTEGERS), program),
    ]


def _row(
    side: Contender, made: dict[str, Any] | None, official: dict[str, Any] | None, task: Task
) -> list[str]:
    if made is None:
        return [side.name, "failed", *["-"] * (len(HEAD) - 2)]
    path = Path(made["path"])
    cosine, level = quality(path, task)
    ratio = "1" if made is official else "-"
    if official is not None and made is not official:
        ratio = latency(Path(official["path"]), path)
    return [
        side.name,
        f"{np.median(made['seconds']):.1f}",
        f"{path.stat().st_size / 1e6:.2f}",
        f"{cosine:.4f}",
        f"{level:.2f}",
        ratio,
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task = minilm(assets)
    program = Task(task.name, assets / "minilm.pt2", task.calibration, task.held_out)
    pairs = {"float": FLOATS, "dynamic": (INTEGERS[0], INTEGERS[2])}
    for key, (ours, official) in pairs.items():
        both = made(ours, task), made(official, program)
        if both[0] is None or both[1] is None:
            yield Finding(f"tflite.latency.minilm.{key}", None, "failed")
            yield Finding(f"tflite.size.minilm.{key}", None, "failed")
            continue
        path, theirs = (Path(each["path"]) for each in both if each is not None)
        told = "SQNR {:.1f}, official {:.1f} dB".format(
            *(quality(each, task)[1] for each in (path, theirs))
        )
        yield paired(f"tflite.latency.minilm.{key}", paired_latency(theirs, path), told)
        sizes = [each.stat().st_size / 1e6 for each in (path, theirs)]
        told = "{:.2f} of {:.2f} MB".format(*sizes)
        yield plain(f"tflite.size.minilm.{key}", sizes[0] / sizes[1], 3, told)


def quality(path: Path, task: Task) -> tuple[float, float]:
    """The mean cosine of a file's embeddings with float's, and SQNR in dB; kept."""
    depends = {"artifact": digest(path), "data": digest(task.held_out), "machine": cpu()}
    cosine, level = once(
        Kept("tflite"), f"quality {path}", depends, lambda: _judged(path, task), lasting=True
    )
    return cosine, level


def _judged(path: Path, task: Task) -> tuple[float, float]:
    reference, answer = run(task.model, task.held_out, emulated=False)[:TEXTS], _answers(path, task)
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (reference, answer)]
    return float((unit[0] * unit[1]).sum(1).mean()), sqnr(reference, answer)


def _answers(path: Path, task: Task) -> np.ndarray:
    """A file's embeddings, (texts, 384)."""
    model = open_litert(path)
    with np.load(task.held_out) as archive:
        samples = {name: archive[name][:TEXTS] for name in archive.files}
    ours = set(model.inputs) == set(samples)
    # args_0, args_1, ... stand for the program's inputs in their order.
    names = list(samples) if ours else sorted(model.inputs)
    details = model.interpreter.get_input_details()
    kinds = {name: each["dtype"] for name, each in zip(model.inputs, details, strict=True)}

    def answer(rows: tuple[np.ndarray, ...]) -> np.ndarray:
        pairs = zip(names, rows, strict=True)
        return model.run({name: row[None].astype(kinds[name]) for name, row in pairs}, "text")[0]

    each = [answer(rows) for rows in zip(*samples.values(), strict=True)]
    return np.concatenate(each).astype(np.float64)
