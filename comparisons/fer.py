"""fer's Keras net, a ``.hdf5`` of tf.keras 2, to ONNX and TFLite: how far from the source."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from basic_pitch import by_litert, by_onnx
from environments import ours
from figures import Finding
from kept import Kept, once
from tables import table

import edgeopt
from edgeopt.converters.sources import SourceOptions, open_source

PICTURES, SIDE = 32, 64


def main(assets: Path) -> list[str]:
    """Convert, and give the lines of a Markdown table."""
    found = _found(assets)
    head = ("largest difference from Keras, of probabilities", *found)
    return table(head, [[f"{PICTURES} pictures", *(f"{worst:.1e}" for worst in found.values())]])


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    for name, worst in _found(assets).items():
        yield Finding(f"fer.{name}", worst, f"{worst:.1e}")


def pictures(assets: Path) -> np.ndarray:
    """Grey photographs from -1 to 1, as the net was trained on faces: (32, 64, 64, 1) float32."""
    with np.load(assets / "photographs_calibration.npz") as archive:
        pixels = archive["pixels"][:PICTURES, :, : 3 * SIDE, : 3 * SIDE].mean(axis=1)
    grey = pixels.reshape(PICTURES, SIDE, 3, SIDE, 3).mean(axis=(2, 4))
    scaled: np.ndarray = (grey / 127.5 - 1)[..., None].astype(np.float32)
    return scaled


def _found(assets: Path) -> dict[str, float]:
    depends = ours(assets / "fer.hdf5", assets / "photographs_calibration.npz")
    return dict(once(Kept("fer"), "found", depends, partial(_measured, assets), lasting=True))


def _measured(assets: Path) -> dict[str, float]:
    given = pictures(assets)
    source = open_source(assets / "fer.hdf5", SourceOptions())
    with tempfile.TemporaryDirectory() as folder:
        made = edgeopt.convert(
            assets / "fer.hdf5", to="onnx,tflite", output=folder, verify=False
        ).artifacts
        (spec,) = made[0].manifest.inputs
        wanted = np.concatenate([source.run({spec.name: image[None]})[0] for image in given])
        found = {}
        for artifact, run in zip(made, (by_onnx, by_litert), strict=True):
            each = [next(iter(run(Path(artifact.path), image[None]).values())) for image in given]
            worst = np.abs(np.concatenate(each) - wanted).max()
            found[Path(artifact.path).suffix[1:]] = float(worst)
    return found


if __name__ == "__main__":
    print("\n".join(main(Path(__file__).resolve().parent / ".cache" / "assets")))
