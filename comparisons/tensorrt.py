"""TensorRT: preparing EfficientNet-Lite0, and building beside a process that only builds."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import ours
from figures import Finding, Interval, paired, plain
from kept import Kept, once
from processes import ratios, run_paired
from rounds import ROUNDS
from tables import table

from edgeopt.converters.tensorrt.building import PROGRAM

HERE = Path(__file__).resolve().parent
CAPABILITY, INPUT, SHAPE = "SM86", "image", (1, 3, 224, 224)


PRECISIONS = ("fp32", "fp16", "int8")


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of two Markdown tables."""
    found = _found(assets)
    return [
        *table(
            ("preparing (goal: under 1 s)", "s"),
            ([precision, f"{taken:.2f}"] for precision, taken in found["prepared"].items()),
        ),
        "",
        "Building for SM86, whole processes: the one that a conversion starts for each engine, "
        "the same with another that starts it and reads the layers back, and one that only "
        f"parses and builds. Ratios to the last, median [min, max] of {ROUNDS} rounds.",
        "",
        *table(
            ("", "building, s", "ratio (goal 1.2)", "with who asks, ratio", "parse and build, s"),
            ([name, *_cells(seconds)] for name, seconds in found["built"].items()),
        ),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    found = _found(assets)
    corrected = found["prepared"]["int8, corrections too"]
    for precision in PRECISIONS:
        told = f"with corrections on data {corrected:.2f} s" if precision == "int8" else ""
        yield plain(f"tensorrt.prepare.{precision}", found["prepared"][precision], 2, told)
    for precision, seconds in found["built"].items():
        told = f"parse and build {statistics.median(seconds['theirs']):.2f} s"
        for name, side in (("build", "ours"), ("asked", "asking")):
            each = [a / b for a, b in zip(seconds[side], seconds["theirs"], strict=True)]
            ratio = Interval(statistics.median(each), min(each), max(each))
            yield paired(f"tensorrt.{name}.{precision}", ratio, told)


def _found(assets: Path) -> dict[str, Any]:
    """Seconds of preparing by precision, and of each round of each side's building; kept."""
    data = [assets / f"efficientnet_lite0{end}" for end in (".onnx", "_calibration.npz")]
    depends = {**ours(*data), "rounds": str(ROUNDS)}
    return dict(once(Kept("tensorrt"), "found", depends, lambda: _measured(assets)))


def _measured(assets: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared = _prepared(assets, folder)
        return {
            "prepared": prepared,
            "built": {precision: _built(precision, folder) for precision in PRECISIONS},
        }


def _cells(seconds: dict[str, list[float]]) -> list[str]:
    ours, theirs = (statistics.median(seconds[side]) for side in ("ours", "theirs"))
    both = [ratios(seconds[side], seconds["theirs"]) for side in ("ours", "asking")]
    return [f"{ours:.2f}", *both, f"{theirs:.2f}"]


def _prepared(assets: Path, folder: Path) -> dict[str, float]:
    model, data = (assets / f"efficientnet_lite0{end}" for end in (".onnx", "_calibration.npz"))
    command = [sys.executable, str(HERE / "tensorrt_prepare.py"), str(model), str(data)]
    ran = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def _built(precision: str, folder: Path) -> dict[str, list[float]]:
    onnx, engine = str(folder / f"{precision}.onnx"), str(folder / "engine")
    rest = [onnx, engine, CAPABILITY, f"{INPUT}={'x'.join(map(str, SHAPE))}"]
    commands = {
        "ours": [sys.executable, "-P", str(PROGRAM), *_request(onnx, engine, folder)],
        "asking": [sys.executable, str(HERE / "tensorrt_engine.py"), *rest],
        "theirs": [sys.executable, str(HERE / "peers" / "tensorrt_build.py"), *rest],
    }
    runs = run_paired(commands, ROUNDS)
    return {side: [run.seconds for run in runs[side]] for side in commands}


def _request(onnx: str, engine: str, folder: Path) -> list[str]:
    """The files of a request, as a conversion writes one, and of its answer."""
    asked = {
        "task": "build", "module": "tensorrt_rtx", "onnx": onnx, "engine": engine,
        "profiles": {INPUT: [SHAPE] * 3}, "capability": CAPABILITY, "memory": None,
        "timing_cache": None,
    }  # fmt: skip
    (folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")
    return [str(folder / "request.json"), str(folder / "answer.json")]


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
