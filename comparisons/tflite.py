"""EfficientNet-Lite0 to int8 TFLite: EdgeOpt beside LiteRT's own converter and quantizer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sides
from contenders import MADE, Contender, Task, produce
from environments import EnvironmentUnavailableError
from figures import Finding, Interval, plain
from judging import sqnr
from kept import Kept, cpu, digest
from processes import ProcessFailedError
from rounds import ROUNDS
from tables import commands, table
from verdicts import paired_core

import edgeopt
from edgeopt.core.layout import Layout
from edgeopt.core.litert import open_litert

CALIBRATED = 32
"""Photographs that files are calibrated on."""

SAMPLES = 128
"""Held-out photographs that files are judged on."""

_OURS = "edgeopt convert {model} --to tflite --layout nhwc --no-verify -o {out}"
_INT8 = f"{_OURS} --precision int8 --calibration {{calibration}}"
_PEER = "python {peers}/litert_int8.py {model} {calibration} {out}/model.tflite"
_ONNX2TF = "python {peers}/onnx2tf_convert.py {model} {calibration} {out}/model.tflite"

FLOATS = (
    Contender("edgeopt, float", f"{_OURS} --precision fp32"),
    Contender("litert-torch, float", f"{_PEER} --float", "litert"),
    Contender("onnx2tf, float", f"{_ONNX2TF} --float", "onnx2tf"),
)
INTEGERS = (
    Contender("edgeopt, fast", f"{_INT8} --effort fast"),
    Contender("edgeopt, default", _INT8),
    Contender("litert-torch + ai-edge-quantizer", _PEER, "litert"),
    Contender("the same, given extremes", f"{_PEER} --minmax", "litert"),
    Contender("onnx2tf", _ONNX2TF, "onnx2tf"),
)
HEAD = ("tool", "rounds", "s", "x the fastest official int8", "size MB", "SQNR dB", "agreement",
        "latency / litert-torch's")  # fmt: skip


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task, program = _tasks(assets)
    found = {side: made(side, _given(side, task, program)) for side in (*FLOATS, *INTEGERS)}
    fastest = _fastest(found)
    rows = []
    for group in (FLOATS, INTEGERS):
        baseline = next((found[side] for side in group if not side.ours and found[side]), None)
        rows += [_row(side, found[side], baseline, fastest, task) for side in group]
    return [
        f"Whole processes on one core from {CALIBRATED} photographs, verification apart, medians "
        "of rounds in processor time: EdgeOpt from the float ONNX, the official tools from the "
        f"`.pt2`; channels last on both sides. Judged in LiteRT with XNNPACK on {SAMPLES} crops of "
        "other photographs, against ONNX Runtime's float. Latency is paired, one thread, this "
        "machine's. Goals: fast at most 1.5 s and 6 times as fast as the fastest official way; "
        "latency and size at most 1.02.",
        "",
        *table(HEAD, rows),
        "",
        *commands(task, (*FLOATS, *INTEGERS), program),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task, program = _tasks(assets)
    found = {side: made(side, _given(side, task, program)) for side in INTEGERS}
    fastest = _fastest(found)
    told = f"fastest official way {fastest:.1f} s"
    fast, default = (_seconds(found[side]) for side in INTEGERS[:2])
    yield plain("tflite.time", fast, 2, told)
    yield plain("tflite.speed", fastest / fast, 1, told)
    yield plain("tflite.speed-default", fastest / default, 1, f"default {default:.2f} s")


def _tasks(assets: Path) -> tuple[Task, Task]:
    """What we are given, and what the official tools are."""
    whole = sides.efficientnet(assets)
    task = replace(whole, calibration=_few(whole.calibration))
    return task, replace(task, model=assets / "efficientnet_lite0.pt2")


def _given(side: Contender, task: Task, program: Task) -> Task:
    """What a side begins with: LiteRT's own tools take programs."""
    return program if side.environment == "litert" else task


def _fastest(found: dict[Contender, dict[str, Any] | None]) -> float:
    """Seconds of the fastest way that isn't ours."""
    official = (each for side, each in found.items() if not side.ours and each is not None)
    return min(map(_seconds, official), default=float("nan"))


def _few(calibration: Path) -> Path:
    """The first photographs as a file of their own."""
    few = MADE / f"photographs_{CALIBRATED}.npz"
    if not few.exists():
        few.parent.mkdir(parents=True, exist_ok=True)
        with np.load(calibration) as archive:
            np.savez(few, **{n: archive[n][:CALIBRATED] for n in archive.files if n != "names"})
    return few


def made(side: Contender, task: Task, rounds: int = ROUNDS) -> dict[str, Any] | None:
    """What a side made, and how long it took, ``path`` and ``seconds``; kept. None if it failed."""
    kept, depends, key = Kept("tflite"), side.depends(task), f"{task.name}: {side.name}"
    found: dict[str, Any] | None = kept.get(key, depends)
    if found is not None and Path(found["path"]).exists():
        return found
    try:
        seconds = [produce(side, task).cpu_seconds for _ in range(rounds)]
    except (EnvironmentUnavailableError, ProcessFailedError) as error:
        print(f"{side.name}: {error}")
        return None
    (path,) = side.folder(task).glob("*.tflite")
    found = {"path": str(path), "seconds": seconds}
    kept.put(key, depends, found)
    return found


def _seconds(made: dict[str, Any] | None) -> float:
    return statistics.median(made["seconds"]) if made else float("nan")


def _row(
    side: Contender,
    made: dict[str, Any] | None,
    baseline: dict[str, Any] | None,
    fastest: float,
    task: Task,
) -> list[str]:
    if made is None:
        return [side.name, "failed", *["-"] * (len(HEAD) - 2)]
    path = Path(made["path"])
    level, agreement = quality(path, task)
    return [
        side.name,
        str(len(made["seconds"])),
        f"{_seconds(made):.1f}",
        f"{fastest / _seconds(made):.1f}",
        f"{path.stat().st_size / 1e6:.2f}",
        f"{level:.2f}",
        f"{agreement:.1%}",
        "1" if made is baseline or baseline is None else latency(Path(baseline["path"]), path),
    ]


def quality(path: Path, task: Task) -> tuple[float, float]:
    """SQNR in dB and agreement of a file with ONNX Runtime's float model; kept."""
    kept = Kept("tflite")
    depends = {"artifact": digest(path), "data": digest(task.held_out), "machine": cpu()}
    found = kept.get(f"quality {path}", depends, lasting=True)
    if found is None:
        reference, answer = _reference(task), _run(path, _images(task))
        agreement = float((reference.argmax(1) == answer.argmax(1)).mean())
        found = [sqnr(reference, answer), agreement]
        kept.put(f"quality {path}", depends, found)
    return found[0], found[1]


def latency(baseline: Path, path: Path) -> str:
    """What :func:`paired_latency` gives, for a table."""
    return str(paired_latency(baseline, path))


def paired_latency(baseline: Path, path: Path) -> Interval:
    """A file's latency over another's; kept."""
    kept = Kept("tflite")
    depends = {
        "artifacts": digest(baseline, path), "machine": cpu(), "core": digest(*paired_core()),
    }  # fmt: skip
    found = kept.get(f"latency {path}", depends)
    if found is None:
        first, last = edgeopt.benchmark([baseline, path], save=False).ratios
        if last is not None:
            found = [last.point, last.low, last.high]
        else:  # a float file of ours, by its manifest, is taken as what others are held against
            assert first is not None
            found = [1 / first.point, 1 / first.high, 1 / first.low]
        kept.put(f"latency {path}", depends, found)
    return Interval(*found)


@cache
def _images(task: Task) -> np.ndarray:
    with np.load(task.held_out) as archive:
        images: np.ndarray = archive[archive.files[0]][:SAMPLES]
    return images


@cache
def _reference(task: Task) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(task.model))
    name = session.get_inputs()[0].name
    each = [session.run(None, {name: image[None]})[0] for image in _images(task)]
    return np.concatenate(each).astype(np.float64)


def _run(path: Path, images: np.ndarray) -> np.ndarray:
    """The only output for each image, channels first as they are given; floats at both ends."""
    model = open_litert(path, layout=Layout.NHWC)
    (name,) = model.inputs
    each = [model.run({name: image[None].astype(np.float32)}, "image")[0] for image in images]
    return np.concatenate(each).astype(np.float64)
