"""A ``.pt2`` to fp32 ONNX, simplified and verified, beside a process that only exports.

Two models: EfficientNet-Lite0 and the Fashion-MNIST example.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from processes import median_seconds, ratios, run_paired
from rounds import ROUNDS

HERE = Path(__file__).resolve().parent


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    example = HERE.parent / "examples" / "fashion_mnist"
    models = {
        "EfficientNet-Lite0": (
            assets / "efficientnet_lite0.pt2",
            assets / "efficientnet_lite0_calibration.npz",
        ),
        "Fashion-MNIST example": (example / "model.pt2", example / "calibration.npz"),
    }
    lines = [
        "| `.pt2` to fp32 ONNX, whole process, verified on 32 samples | s | export alone, s "
        f"| ratio, median [min, max] of {ROUNDS} pairs (goal 1.3) |",
        "|---|---|---|---|",
    ]
    return lines + [_line(name, *paths) for name, paths in models.items()]


def _line(name: str, model: Path, data: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "ours": [
                sys.executable, "-m", "edgeopt", "convert", str(model), "--evaluation", str(data),
                "-o", folder,
            ],
            "theirs": [
                sys.executable, str(HERE / "peers" / "export_only.py"), str(model),
                f"{folder}/exported.onnx",
            ],
        }  # fmt: skip
        runs = run_paired(commands, ROUNDS)
    ratio = ratios([r.seconds for r in runs["ours"]], [r.seconds for r in runs["theirs"]])
    ours, theirs = (median_seconds(runs[side]) for side in ("ours", "theirs"))
    return f"| {name} | {ours:.1f} | {theirs:.1f} | {ratio} |"


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
