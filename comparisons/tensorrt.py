"""TensorRT: preparing EfficientNet-Lite0, and building beside a process that only builds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import median_seconds, ratios, run_paired
from rounds import ROUNDS

from edgeopt.converters.tensorrt.building import PROGRAM

HERE = Path(__file__).resolve().parent
CAPABILITY, INPUT, SHAPE = "SM86", "image", (1, 3, 224, 224)


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of two Markdown tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = _prepared(assets, folder)
        return [
            "| preparing (goal: under 1 s) | s |",
            "|---|---|",
            *(f"| {precision} | {taken:.2f} |" for precision, taken in seconds.items()),
            "",
            "Building for SM86, whole processes: the one that a conversion starts for each engine, "
            "the same with another that starts it and reads the layers back, and one that only "
            f"parses and builds. Ratios to the last, median [min, max] of {ROUNDS} rounds.",
            "",
            "| | building, s | ratio (goal 1.2) | with who asks, ratio | parse and build, s |",
            "|---|---|---|---|---|",
            *(_built(precision, folder) for precision in ("fp32", "fp16", "int8")),
        ]


def _prepared(assets: Path, folder: Path) -> dict[str, float]:
    model, data = (assets / f"efficientnet_lite0{end}" for end in (".onnx", "_calibration.npz"))
    command = [sys.executable, str(HERE / "tensorrt_prepare.py"), str(model), str(data)]
    ran = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def _built(precision: str, folder: Path) -> str:
    onnx, engine = str(folder / f"{precision}.onnx"), str(folder / "engine")
    rest = [onnx, engine, CAPABILITY, f"{INPUT}={'x'.join(map(str, SHAPE))}"]
    commands = {
        "ours": [sys.executable, "-P", str(PROGRAM), *_request(onnx, engine, folder)],
        "asking": [sys.executable, str(HERE / "tensorrt_engine.py"), *rest],
        "theirs": [sys.executable, str(HERE / "peers" / "tensorrt_build.py"), *rest],
    }
    runs = run_paired(commands, ROUNDS)
    seconds = {side: [run.seconds for run in runs[side]] for side in commands}
    ours, theirs = (median_seconds(runs[side]) for side in ("ours", "theirs"))
    both = [ratios(seconds[side], seconds["theirs"]) for side in ("ours", "asking")]
    return f"| {precision} | {ours:.2f} | {both[0]} | {both[1]} | {theirs:.2f} |"


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
