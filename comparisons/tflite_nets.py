"""What TFLite files of several nets are worth: EdgeOpt's beside LiteRT's own converter's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import sides
from architectures import FOLDER, export, exported, programs
from contenders import MADE, Contender, Task
from environments import EnvironmentUnavailableError
from figures import Finding, paired, plain
from tables import table
from tflite import CALIBRATED, FLOATS, INTEGERS, SAMPLES, latency, made, paired_latency, quality

NAMES = ("mobilenet_v2", "resnet18", "small/unet")
PAIRS = (
    (FLOATS[0], FLOATS[1]),
    (INTEGERS[1], INTEGERS[3]),
)
"""EdgeOpt's side and the official one: floats, and int8 by extremes of the same samples."""
HEAD = ("net", "tool", "size MB", "SQNR dB", "agreement", "latency / litert-torch's")


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    rows = []
    for task in tasks(assets):
        for ours, official in PAIRS:
            rows += _rows(task, ours, official)
    return [
        f"From {CALIBRATED} photographs, judged on {SAMPLES} crops of others against ONNX "
        "Runtime's float; random weights but for EfficientNet-Lite0. Both have channels last, run "
        "in LiteRT with XNNPACK, one thread, latencies paired. Goals: latency and size at most "
        "1.02, SQNR higher.",
        "",
        *table(HEAD, rows),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    for task in tasks(assets):
        net = task.name.removesuffix(f"_{CALIBRATED}")
        for kind, (ours, official) in zip(("float", "int8"), PAIRS, strict=True):
            files = _files(task, ours, official)
            path, theirs = files[ours], files[official]
            if path is None or theirs is None:
                yield Finding(f"tflite.latency.{net}.{kind}", None, "failed")
                yield Finding(f"tflite.size.{net}.{kind}", None, "failed")
                continue
            levels = [quality(each, task)[0] for each in (path, theirs)]
            told = "SQNR {:.1f}, official {:.1f} dB".format(*levels)
            yield paired(f"tflite.latency.{net}.{kind}", paired_latency(theirs, path), told)
            sizes = [each.stat().st_size / 1e6 for each in (path, theirs)]
            told = "{:.2f} of {:.2f} MB".format(*sizes)
            yield plain(f"tflite.size.{net}.{kind}", sizes[0] / sizes[1], 3, told)


@cache
def tasks(assets: Path) -> list[Task]:
    """The nets with photographs of their size; those that could be exported.

    Raises:
        EnvironmentUnavailableError: If torchvision's environment can't be made.
    """
    export(NAMES)
    programs(NAMES)
    whole = sides.efficientnet(assets)
    found = [Task(f"{whole.name}_{CALIBRATED}", whole.model, *_photographs(whole, 224))]
    for name in NAMES:
        pictures = _photographs(whole, 160 if name == "small/unet" else 224)
        found.append(Task(name.replace("/", "-"), exported(name), *pictures))
    return found


def _photographs(whole: Task, size: int) -> tuple[Path, Path]:
    """Files of the first photographs, their upper left corners: to calibrate and to judge on."""
    paths = []
    for source, count in ((whole.calibration, CALIBRATED), (whole.held_out, SAMPLES)):
        path = MADE / f"{source.stem}_{count}_{size}.npz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with np.load(source) as archive:
                np.savez(path, image=archive["image"][:count, :, :size, :size])
        paths.append(path)
    return paths[0], paths[1]


def _rows(task: Task, ours: Contender, official: Contender) -> list[list[str]]:
    files = _files(task, ours, official)
    return [_row(task, side, files[side], files[official]) for side in (ours, official)]


def _files(task: Task, ours: Contender, official: Contender) -> dict[Contender, Path | None]:
    """What both sides made; None where one failed."""
    program = Task(task.name, _program(task), task.calibration, task.held_out)
    files: dict[Contender, Path | None] = {}
    for side in (official, ours):
        try:
            found = made(side, task if side.ours else program, 1)
        except EnvironmentUnavailableError as error:
            print(f"{side.name}: {error}")
            found = None
        files[side] = None if found is None else Path(found["path"])
    return files


def _program(task: Task) -> Path:
    beside = task.model.with_suffix(".pt2")
    return beside if beside.exists() else FOLDER / beside.name


def _row(task: Task, side: Contender, path: Path | None, baseline: Path | None) -> list[str]:
    if path is None:
        return [task.name, side.name, "failed", *["-"] * (len(HEAD) - 3)]
    level, agreement = quality(path, task)
    ratio = "1" if path is baseline else "-" if baseline is None else latency(baseline, path)
    size = f"{path.stat().st_size / 1e6:.2f}"
    return [task.name, side.name, size, f"{level:.2f}", f"{agreement:.1%}", ratio]
