"""TensorRT: preparing EfficientNet-Lite0, and building beside a process that only builds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import median_seconds, ratios, run_paired
from rounds import ROUNDS

HERE = Path(__file__).resolve().parent
CAPABILITY, SHAPE = "SM86", "image=1x3x224x224"


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
            "| building for SM86, whole process | s | parse and build alone, s "
            f"| ratio, median [min, max] of {ROUNDS} pairs (goal 1.2) |",
            "|---|---|---|---|",
            *(_built(precision, folder) for precision in ("fp32", "fp16", "int8")),
        ]


def _prepared(assets: Path, folder: Path) -> dict[str, float]:
    model, data = (assets / f"efficientnet_lite0{end}" for end in (".onnx", "_calibration.npz"))
    command = [sys.executable, str(HERE / "tensorrt_prepare.py"), str(model), str(data)]
    ran = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def _built(precision: str, folder: Path) -> str:
    rest = [str(folder / f"{precision}.onnx"), str(folder / "engine"), CAPABILITY, SHAPE]
    commands = {
        "ours": [sys.executable, str(HERE / "tensorrt_engine.py"), *rest],
        "theirs": [sys.executable, str(HERE / "peers" / "tensorrt_build.py"), *rest],
    }
    runs = run_paired(commands, ROUNDS)
    ratio = ratios([r.seconds for r in runs["ours"]], [r.seconds for r in runs["theirs"]])
    ours, theirs = (median_seconds(runs[side]) for side in ("ours", "theirs"))
    return f"| {precision} | {ours:.1f} | {theirs:.1f} | {ratio} |"


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
