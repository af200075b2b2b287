"""Keras models to TFLite: EdgeOpt beside TensorFlow's own converter, on the same photographs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from contenders import UNFINISHED, Contender, Task, fresh, produce
from environments import HERE, python
from figures import Finding, Interval, paired, plain
from goals.tensorflow import KERAS
from judging import sqnr
from kept import Kept, cpu, digest, once
from tables import table
from tflite import paired_latency

MADE = HERE / ".cache" / "keras_models"
PRECISIONS = ("fp32", "int8")
PEER = "tensorflow"

_CONVERT = "edgeopt convert {model} -q --calibration {calibration} -o {out}"
OURS = Contender("edgeopt", f"{_CONVERT} --to tflite --precision fp32,int8 --no-verify")
OFFICIAL = Contender(
    "TFLiteConverter", "python {peers}/tensorflow_lite.py {model} {calibration} {out}", PEER
)
# What comes of it is what is compared, so that no file is refused for its quality.
WHOLE = Contender(
    "edgeopt, all six, verified",
    f"{_CONVERT} --to onnx,tflite --precision fp32,fp16,int8 --evaluation {{held_out}} "
    "--min-sqnr -200",
)
HEAD = (
    "net", "s, ours / official", "float, worst error: ONNX, TFLite, official",
    "fp16 dB: ONNX, TFLite", "int8 dB: ONNX, TFLite, official",
    "latency over official, float", "latency over official, int8",
)  # fmt: skip


@dataclass(frozen=True)
class Quality:
    """A file's answers beside the Keras model's, on 32 photographs that nobody calibrated on.

    Args:
        decibels: SQNR.
        worst: The largest error over the largest answer.
    """

    decibels: float
    worst: float


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    return [
        "`.keras` in, float and int8 TFLite out; processor seconds of whole processes on one core, "
        "imports counted. Random weights; statistics of batch normalization are the photographs'; "
        "no softmax at the end. Both calibrate on the same 32 photographs, 32 others are judged. "
        "Latency is paired, one thread, XNNPACK.",
        "",
        *table(HEAD, (_row(name, task(name, assets)) for name in KERAS)),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    for name in KERAS:
        yield from _figures(name, task(name, assets))


def task(name: str, assets: Path) -> Task:
    """A model with its samples; made once, in the peer's environment.

    Raises:
        EnvironmentUnavailableError: If that can't be made.
    """
    folder = MADE / name
    if not (folder / "model.keras").exists():
        fresh(folder)
        script = HERE / "peers" / "tensorflow_models.py"
        photographs = assets / "photographs_calibration.npz"
        words = [python(PEER), script, name, photographs, folder]
        subprocess.run(
            [str(word) for word in words], check=True, stdout=subprocess.DEVNULL, env=_quiet()
        )
    return Task(
        f"keras-{name}", folder / "model.keras", folder / "samples.npz", folder / "others.npz"
    )


def _figures(name: str, net: Task) -> Iterator[Finding]:
    seconds = {side: _seconds(side, net) for side in (OURS, OFFICIAL)}
    told = f"{seconds[OURS]:.1f} of {seconds[OFFICIAL]:.1f} s"
    yield plain(f"keras.{name}.time", seconds[OURS] / seconds[OFFICIAL], 2, told)
    found = _qualities(net)
    worst = max(found["onnx fp32"].worst, found["tflite fp32"].worst)
    told = f"TFLiteConverter {found['official fp32'].worst:.1e}"
    yield Finding(f"keras.{name}.parity", worst, f"{worst:.1e}", told)
    ours, official = (found[side].decibels for side in ("tflite int8", "official int8"))
    told = f"{ours:.1f} beside {official:.1f} dB"
    yield plain(f"keras.{name}.sqnr", ours - official, 1, told)
    for kind, interval in zip(("float", "int8"), _latencies(net), strict=True):
        yield paired(f"keras.{name}.latency-{kind}", interval)


def _row(name: str, net: Task) -> list[str]:
    found = _qualities(net)
    sides = ("onnx", "tflite", "official")
    return [
        name,
        f"{_seconds(OURS, net):.1f} / {_seconds(OFFICIAL, net):.1f}",
        ", ".join(f"{found[f'{side} fp32'].worst:.1e}" for side in sides),
        ", ".join(f"{found[f'{side} fp16'].decibels:.1f}" for side in sides[:2]),
        ", ".join(f"{found[f'{side} int8'].decibels:.1f}" for side in sides),
        *map(str, _latencies(net)),
    ]


def _seconds(side: Contender, net: Task) -> float:
    """Processor seconds of a side's process, whose files are there afterwards; kept."""
    kept, depends = Kept("keras_models"), side.depends(net)
    key = f"{net.name}: {side.name}"
    if not side.folder(net).exists() or (side.folder(net) / UNFINISHED).exists():
        kept.put(key, depends, _run(side, net))
    return float(once(kept, key, depends, partial(_run, side, net)))


def _run(side: Contender, net: Task) -> float:
    return produce(side, net).cpu_seconds


def _qualities(net: Task) -> dict[str, Quality]:
    """By side, or format, and precision."""
    for side in (OFFICIAL, WHOLE):
        _seconds(side, net)
    ours, official = (side.folder(net) for side in (WHOLE, OFFICIAL))
    files = {
        f"{name} {precision}": folder / f"model.{precision}.{suffix}"
        for name, folder, suffix, precisions in (
            ("onnx", ours, "onnx", ("fp32", "fp16")),
            ("tflite", ours, "tflite", ("fp32", "fp16", "int8")),
            ("official", official, "tflite", PRECISIONS),
        )
        for precision in precisions
    }
    found = {name: _quality(name, file, net) for name, file in files.items()}
    # Judged with exact sums, which the kernels of a CPU without VNNI don't have.
    manifest = json.loads((ours / "model.int8.onnx.json").read_text())
    (output,) = manifest["verification"]["outputs"]
    return {**found, "onnx int8": Quality(output["sqnr_db"], float("nan"))}


def _quality(name: str, file: Path, net: Task) -> Quality:
    expected = net.model.with_name("expected.npy")
    depends = {"artifact": digest(file), "expected": digest(expected), "machine": cpu()}

    def measure() -> Mapping[str, float]:
        wanted = np.load(expected).astype(np.float64)
        found = _answers(file, net.held_out).astype(np.float64)
        worst = float(np.abs(found - wanted).max() / np.abs(wanted).max())
        return asdict(Quality(sqnr(wanted, found), worst))

    return Quality(
        **once(Kept("keras_models"), f"{net.name}: {name}", depends, measure, lasting=True)
    )


def _answers(file: Path, others: Path) -> np.ndarray:
    """What a file answers to each picture."""
    with np.load(others) as archive:
        ((name, images),) = archive.items()
    if file.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file)
        return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    found = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.array(found)


def _latencies(net: Task) -> list[Interval]:
    """Of our float and int8 files over the official ones."""
    for side in (OURS, OFFICIAL):
        _seconds(side, net)
    return [
        paired_latency(*(side.folder(net) / f"model.{each}.tflite" for side in (OFFICIAL, OURS)))
        for each in PRECISIONS
    ]


def _quiet() -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
