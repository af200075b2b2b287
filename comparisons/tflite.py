"""EfficientNet-Lite0 to int8 TFLite: EdgeOpt beside LiteRT's own converter and quantizer."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sides
from contenders import MADE, Contender, Task, cpu, fresh
from environments import EnvironmentUnavailableError
from judging import sqnr
from kept import Kept, digest
from processes import ProcessFailedError, run_on_one_core
from rounds import ROUNDS
from tables import commands, table

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

FLOATS = (
    Contender("edgeopt, float", f"{_OURS} --precision fp32"),
    Contender("litert-torch, float", f"{_PEER} --float", "litert"),
)
INTEGERS = (
    Contender("edgeopt, fast", f"{_INT8} --effort fast"),
    Contender("edgeopt, default", _INT8),
    Contender("litert-torch + ai-edge-quantizer", _PEER, "litert"),
    Contender("the same, given extremes", f"{_PEER} --minmax", "litert"),
)
HEAD = ("tool", "s", "x the fastest official int8", "size MB", "SQNR dB", "agreement",
        "latency / litert-torch's")  # fmt: skip


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    whole = sides.efficientnet(assets)
    task = replace(whole, calibration=_few(whole.calibration))
    program = replace(task, model=assets / "efficientnet_lite0.pt2")
    found = {side: made(side, task if side.ours else program) for side in (*FLOATS, *INTEGERS)}
    official = [side for side in INTEGERS if not side.ours and found[side] is not None]
    fastest = min((_seconds(found[side]) for side in official), default=float("nan"))
    rows = []
    for group in (FLOATS, INTEGERS):
        baseline = next((found[side] for side in group if not side.ours and found[side]), None)
        rows += [_row(side, found[side], baseline, fastest, task) for side in group]
    return [
        f"Whole processes on one core from {CALIBRATED} photographs, verification apart, medians "
        f"of {ROUNDS} in processor time: EdgeOpt from the float ONNX, the official tools from the "
        f"`.pt2`; channels last on both sides. Judged in LiteRT with XNNPACK on {SAMPLES} crops of "
        "other photographs, against ONNX Runtime's float. Latency is paired, one thread, this "
        "machine's. Goals: fast at most 1.5 s and 6 times as fast as the fastest official way; "
        "latency and size at most 1.02.",
        "",
        *table(HEAD, rows),
        "",
        *commands(task, (*FLOATS, *INTEGERS), program),
    ]


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
    seconds = []
    try:
        for _ in range(rounds):
            fresh(side.folder(task))
            seconds.append(run_on_one_core(side.words(task)).cpu_seconds)
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
    """A file's latency over another's, with its interval; kept."""
    kept = Kept("tflite")
    depends = {"artifacts": digest(baseline, path), "machine": cpu()}
    found = kept.get(f"latency {path}", depends)
    if found is None:
        first, last = edgeopt.benchmark([baseline, path], save=False).ratios
        if last is not None:
            found = [last.point, last.low, last.high]
        else:  # a float file of ours, by its manifest, is taken as what others are held against
            assert first is not None
            found = [1 / first.point, 1 / first.high, 1 / first.low]
        kept.put(f"latency {path}", depends, found)
    return "{:.3f} [{:.3f}, {:.3f}]".format(*found)


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
