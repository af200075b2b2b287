"""The example, a Fashion-MNIST net from a ``.pt2``: int8 beside float, as ``make demo`` has it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import ours
from figures import Finding, Interval, paired, plain
from kept import Kept, once
from tables import table

import edgeopt

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "fashion_mnist"
DATA = ("model.pt2", "calibration.npz", "test.npz")
HEAD = ("top-1, float", "top-1, int8", "agreement", "SQNR dB", "latency / float")


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Convert and measure, and give the lines of a Markdown table."""
    found = _found()
    shares = [f"{found[key]:.2%}" for key in ("fp32", "int8", "agreement")]
    return table(HEAD, [[*shares, f"{found['sqnr']:.1f}", str(Interval(*found["latency"]))]])


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    found = _found()
    yield plain("example.accuracy", 100 * found["fp32"], 2, f"int8 {found['int8']:.2%}")
    yield plain("example.agreement", 100 * found["agreement"], 2)
    yield plain("example.sqnr", found["sqnr"], 1)
    yield paired("example.latency", Interval(*found["latency"]))


def _found() -> dict[str, Any]:
    depends = ours(*(EXAMPLE / name for name in DATA))
    return dict(once(Kept("example"), "found", depends, _measured))


def _measured() -> dict[str, Any]:
    model, calibration, test = (EXAMPLE / name for name in DATA)
    with tempfile.TemporaryDirectory() as folder:
        _, made = edgeopt.convert(
            model, precision=["fp32", "int8"], calibration=calibration, evaluation=test,
            output=folder,
        ).artifacts  # fmt: skip
        paths = sorted(Path(folder).glob("*.onnx"))
        report = edgeopt.benchmark(paths, evaluation=test, save=False)
    assert made.manifest.verification is not None
    (check,) = made.manifest.verification.outputs
    accuracies = [measurement.accuracy.values for measurement in report.measurements]
    assert all(accuracies)
    ratio = report.ratios[-1]
    assert ratio is not None
    return {
        **{name: each["top1"] for name, each in zip(("fp32", "int8"), accuracies, strict=True)},
        "agreement": check.agreement,
        "sqnr": check.sqnr_db,
        "latency": [ratio.point, ratio.low, ratio.high],
    }


if __name__ == "__main__":
    print("\n".join(main(Path())))
