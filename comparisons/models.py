"""Real trained models of other makers through fp32 and int8."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import edgeopt
from edgeopt.core.manifest import Manifest

HERE = Path(__file__).resolve().parent


def main(assets: Path) -> list[str]:
    """Convert, and give the lines of a Markdown table."""
    lines = [
        "| model | precision | output | SQNR dB | worst error | agreement | integer layers |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, (model, options) in cases(assets).items():
            result = edgeopt.convert(
                model, precision=["fp32", "int8"], output=Path(folder, name), **options
            )
            for artifact in result.artifacts:
                lines += _lines(name, artifact.manifest)
        return [*lines, "", *preprocessing(assets, Path(folder))]


def cases(assets: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """The models by name, with the options that a user would give."""

    def data(name: str) -> dict[str, Any]:
        return {
            "calibration": assets / f"{name}_calibration.npz",
            "evaluation": assets / f"{name}_heldout.npz",
        }

    factories = HERE / "assets"
    return {
        "silero-vad": (
            str(assets / "silero_vad.onnx"),
            {"input": ["sr=16000"], **data("silero_vad")},
        ),
        "facenet P-Net": (
            f"{factories}/pnet_net.py:net",
            {
                "weights": assets / "pnet.pt",
                "input": ["image:float32[batch,3,128,128]"],
                **data("pnet"),
            },
        ),
        "digit-recognizer": (
            f"{factories}/digit_recognizer_net.py:net",
            {
                "weights": assets / "handwriting_model.pth",
                "input": ["image:float32[batch,1,28,28]"],
                "calibration": assets / "mnist_calibration.npz",
                "evaluation": assets / "mnist_right.npz",
            },
        ),
    }


def preprocessing(assets: Path, folder: Path) -> list[str]:
    """The digit recognizer's accuracy with the right preprocessing and with a wrong one."""
    artifacts = sorted((folder / "digit-recognizer").glob("*.onnx"))
    lines = [
        "| digit-recognizer, top-1 | right preprocessing | wrong preprocessing |",
        "|---|---|---|",
    ]
    found: dict[Path, list[str]] = {path: [] for path in artifacts}
    for data in ("mnist_right.npz", "mnist_wrong.npz"):
        report = edgeopt.benchmark(
            artifacts, evaluation=assets / data, processes=2, duration=0.2, save=False
        )
        for path, measurement in zip(artifacts, report.measurements, strict=True):
            assert measurement.accuracy.values is not None
            found[path].append(f"{measurement.accuracy.values['top1']:.2%}")
    return lines + [f"| {path.name} | {' | '.join(cells)} |" for path, cells in found.items()]


def _lines(name: str, manifest: Manifest) -> list[str]:
    assert manifest.verification is not None
    integer = manifest.integer_layers
    layers = "-" if integer is None else f"{integer} of {integer + len(manifest.float_layers)}"
    return [
        f"| {name} | {manifest.precision.value} | {check.output} "
        f"| {'exact' if check.sqnr_db is None else f'{check.sqnr_db:.1f}'} "
        f"| {check.max_abs_error:.2g} "
        f"| {'-' if check.agreement is None else f'{check.agreement:.2%}'} | {layers} |"
        for check in manifest.verification.outputs
    ]


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
