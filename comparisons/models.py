"""Real trained models of other makers through fp32 and int8."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import ours
from figures import Finding, plain
from kept import Kept, once
from tables import table

import edgeopt
from edgeopt.core.manifest import Manifest

HERE = Path(__file__).resolve().parent
HEAD = (
    "model", "precision", "output", "SQNR dB", "worst error", "agreement", "integer layers",
)  # fmt: skip


def main(assets: Path) -> list[str]:
    """Convert, and give the lines of two Markdown tables."""
    found = _found(assets)
    return [
        *table(HEAD, found["rows"]),
        "",
        *table(
            ("digit-recognizer, top-1", "right preprocessing", "wrong preprocessing"),
            (
                [name, *(f"{share:.2%}" for share in shares)]
                for name, shares in found["top1"].items()
            ),
        ),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    found = _found(assets)
    for name in ("silero-vad", "facenet P-Net", "digit-recognizer"):
        worst = min(float(r[3]) for r in found["rows"] if (r[0], r[1]) == (name, "int8"))
        yield plain(f"models.{name.lower().replace(' ', '-')}", worst, 1)
    right, wrong = found["top1"]["digit-recognizer.fp32.onnx"]
    told = f"{right:.2%} and {wrong:.2%}, float"
    yield plain("models.preprocessing", 100 * (right - wrong), 2, told)


def _found(assets: Path) -> dict[str, Any]:
    """Rows of the first table, and by file the shares of right answers; kept."""
    data = [Path(str(options["calibration"])) for _, options in cases(assets).values()]
    depends = ours(*data)
    return dict(once(Kept("models"), "found", depends, lambda: _converted(assets), lasting=True))


def _converted(assets: Path) -> dict[str, Any]:
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (model, options) in cases(assets).items():
            result = edgeopt.convert(
                model, precision=["fp32", "int8"], output=Path(folder, name), **options
            )
            for artifact in result.artifacts:
                rows += _rows(name, artifact.manifest)
        return {"rows": rows, "top1": preprocessing(assets, Path(folder))}


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


def preprocessing(assets: Path, folder: Path) -> dict[str, list[float]]:
    """The digit recognizer's top-1 with the right preprocessing and with a wrong one, by file."""
    artifacts = sorted((folder / "digit-recognizer").glob("*.onnx"))
    found: dict[str, list[float]] = {_named(path): [] for path in artifacts}
    for data in ("mnist_right.npz", "mnist_wrong.npz"):
        report = edgeopt.benchmark(
            artifacts, evaluation=assets / data, processes=2, duration=0.2, save=False
        )
        for path, measurement in zip(artifacts, report.measurements, strict=True):
            assert measurement.accuracy.values is not None
            found[_named(path)].append(measurement.accuracy.values["top1"])
    return found


def _named(path: Path) -> str:
    """The factory's file gives its name to what is made of it."""
    return f"digit-recognizer.{path.name.partition('.')[2]}"


def _rows(name: str, manifest: Manifest) -> list[list[str]]:
    assert manifest.verification is not None
    integer = manifest.integer_layers
    layers = "-" if integer is None else f"{integer} of {integer + len(manifest.float_layers)}"
    return [
        [
            name,
            manifest.precision.value,
            check.output,
            "exact" if check.sqnr_db is None else f"{check.sqnr_db:.1f}",
            f"{check.max_abs_error:.2g}",
            "-" if check.agreement is None else f"{check.agreement:.2%}",
            layers,
        ]
        for check in manifest.verification.outputs
    ]


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
