"""The example's two models are one network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import edgeopt


def test_from_pytorch_and_from_keras_the_same_answers_come(example: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    images = np.load(example / "test.npz")["image"][:64].astype(np.float32)
    answers = []
    for name, given in (("model.pt2", images), ("model.keras", np.moveaxis(images, 1, -1))):
        (made,) = edgeopt.convert(example / name, output=tmp_path / name, verify=False).artifacts
        session = onnxruntime.InferenceSession(made.path)
        answers.append(session.run(["scores"], {"image": given})[0])
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)


def test_its_samples_are_those_of_the_npz_with_channels_last(example: Path) -> None:
    from edgeopt.core.usercode import load_named

    first = next(iter(load_named(f"{example}/samples.py:test")()))
    data = np.load(example / "test.npz")
    assert first["image"].shape == (28, 28, 1)
    assert np.array_equal(first["image"][..., 0], data["image"][0, 0])
    assert first["labels"] == data["labels"][0]
