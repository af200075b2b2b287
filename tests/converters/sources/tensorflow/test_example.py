"""The example as it was trained in Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

import edgeopt


def test_it_knows_the_garments(example: Path, tmp_path: Path) -> None:
    (made,) = edgeopt.convert(
        example / "model.keras", output=tmp_path / "out", verify=False
    ).artifacts
    data = np.load(example / "test.npz")
    images = np.moveaxis(data["image"], 1, -1).astype(np.float32)
    (scores,) = onnxruntime.InferenceSession(made.path).run(["scores"], {"image": images})
    assert (np.asarray(scores).argmax(1) == data["labels"]).mean() > 0.9


def test_its_samples_are_those_of_the_npz_with_channels_last(example: Path) -> None:
    from edgeopt.core.usercode import load_named

    first = next(iter(load_named(f"{example}/samples.py:test")()))
    data = np.load(example / "test.npz")
    assert first["image"].shape == (28, 28, 1)
    assert np.array_equal(first["image"][..., 0], data["image"][0, 0])
    assert first["labels"] == data["labels"][0]
