"""A ``.pt2`` to fp32 ONNX, simplified and verified, beside a process that only exports.

Two models: EfficientNet-Lite0 and the Fashion-MNIST example.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from environments import ours
from figures import Finding, Interval, paired
from kept import Kept, once
from processes import ratios, run_paired
from rounds import ROUNDS
from tables import table

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "fashion_mnist"


@dataclass(frozen=True)
class _Case:
    """A model to export.

    Args:
        key: Of its figure.
        name: How the table calls it.
        model: The ``.pt2``.
        data: Samples that it is verified on.
    """

    key: str
    name: str
    model: Path
    data: Path


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    head = (
        "`.pt2` to fp32 ONNX, whole process, verified on 32 samples", "s", "export alone, s",
        f"ratio, median [min, max] of {ROUNDS} pairs (goal 1.3)",
    )  # fmt: skip
    rows = []
    for case in _cases(assets):
        seconds = _seconds(case)
        medians = [f"{statistics.median(seconds[side]):.1f}" for side in ("ours", "theirs")]
        rows.append([case.name, *medians, ratios(seconds["ours"], seconds["theirs"])])
    return table(head, rows)


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    for case in _cases(assets):
        seconds = _seconds(case)
        each = [a / b for a, b in zip(seconds["ours"], seconds["theirs"], strict=True)]
        found = Interval(statistics.median(each), min(each), max(each))
        yield paired(f"pt2.{case.key}", found, f"bare {statistics.median(seconds['theirs']):.1f} s")


def _cases(assets: Path) -> tuple[_Case, ...]:
    return (
        _Case(
            "efficientnet",
            "EfficientNet-Lite0",
            assets / "efficientnet_lite0.pt2",
            assets / "efficientnet_lite0_calibration.npz",
        ),
        _Case(
            "example", "Fashion-MNIST example", EXAMPLE / "model.pt2", EXAMPLE / "calibration.npz"
        ),
    )


def _seconds(case: _Case) -> dict[str, list[float]]:
    """Of each side, round by round; kept."""
    depends = {**ours(case.model, case.data), "rounds": str(ROUNDS)}
    return dict(once(Kept("export_pt2"), case.name, depends, partial(_timed, case)))


def _timed(case: _Case) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "ours": [
                sys.executable, "-m", "edgeopt", "convert", str(case.model), "--evaluation",
                str(case.data), "-o", folder,
            ],
            "theirs": [
                sys.executable, str(HERE / "peers" / "export_only.py"), str(case.model),
                f"{folder}/exported.onnx",
            ],
        }  # fmt: skip
        runs = run_paired(commands, ROUNDS)
    return {side: [run.seconds for run in each] for side, each in runs.items()}


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
