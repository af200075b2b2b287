"""Convolutions along one axis, some of which TensorRT would compute in float without a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.tensorrt import prepare
from edgeopt.converters.tensorrt.flat import raise_flat_convolutions
from edgeopt.core.errors import GateError
from edgeopt.core.ir import ir

Save = Callable[..., Path]


@pytest.fixture
def audio(save_model: Save, rng: np.random.Generator) -> Path:
    """Three convolutions over time: padded, with a stride, dilated. (N, 4, 33) to (N, 6, 11)."""
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c0"], "padded", pads=[1, 1]),
        helper.make_node("Conv", ["c0", "w1", "b1"], ["c1"], "strided", strides=[2]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu"),
        helper.make_node("Conv", ["r1", "w2"], ["y"], "dilated", dilations=[2], kernel_shape=[3]),
    ]
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["batch", 4, 33])],
        [("y", TensorProto.FLOAT, ["batch", 6, 11])],
        {
            "w0": rng.standard_normal((4, 4, 3), np.float32) / 4,
            "w1": rng.standard_normal((8, 4, 4), np.float32) / 4,
            "b1": rng.standard_normal(8, np.float32),
            "w2": rng.standard_normal((6, 8, 3), np.float32) / 5,
        },
        name="audio.onnx",
    )


@pytest.fixture
def sounds(tmp_path: Path, rng: np.random.Generator) -> Path:
    np.savez(tmp_path / "sounds.npz", x=rng.standard_normal((24, 4, 33), np.float32))
    return tmp_path / "sounds.npz"


def test_they_are_integer(audio: Path, sounds: Path, tmp_path: Path) -> None:
    (made,) = edgeopt.convert(
        audio, to="tensorrt", precision="int8", calibration=sounds, target="rtx-4090",
        output=tmp_path / "out",
    ).artifacts  # fmt: skip
    assert (made.manifest.integer_layers, made.manifest.float_layers) == (3, ())


def test_left_as_they_are_one_would_silently_be_float(
    audio: Path, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "raise_flat_convolutions", lambda graph: None)
    (made,) = edgeopt.convert(
        audio, to="tensorrt", precision="int8", calibration=sounds, target="rtx-4090",
        output=tmp_path / "out",
    ).artifacts  # fmt: skip
    assert made.manifest.integer_layers == 2
    assert [layer.node for layer in made.manifest.float_layers] == ["padded"]
    assert made.manifest.warnings == (
        "TensorRT computes 1 of the 3 layers that were to be integer in float: padded",
    )


def test_int8_that_became_float_altogether_is_an_error(
    audio: Path, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "raise_flat_convolutions", lambda graph: None)
    with pytest.raises(
        GateError, match=r"none of the 1 layers .* \(Conv 'padded': .*it is float32"
    ):
        edgeopt.convert(
            audio, to="tensorrt", precision="int8", calibration=sounds, target="rtx-4090",
            output=tmp_path / "out", keep_float="strided,dilated",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_nothing_else_changes(
    audio: Path, sounds: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    (made,) = edgeopt.convert(
        audio, precision="int8", calibration=sounds, target="tensorrt", output=tmp_path / "out"
    ).artifacts
    model = ir.load(made.path)
    raise_flat_convolutions(model.graph)
    raised = tmp_path / "raised.onnx"
    ir.save(model, raised)
    onnx.checker.check_model(str(raised), full_check=True)
    given = {"x": rng.standard_normal((3, 4, 33), np.float32)}
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    found = [ort.InferenceSession(p, options).run(None, given)[0] for p in (made.path, raised)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-5)


def test_a_kit_shows_them_as_integer(audio: Path, sounds: Path, tmp_path: Path) -> None:
    (made,) = edgeopt.convert(
        audio, to="tensorrt", precision="int8", calibration=sounds, target="jetson-agx-orin",
        output=tmp_path / "out",
    ).artifacts  # fmt: skip
    found = edgeopt.inspect(made.path)
    assert [layer.arithmetic for layer in found.layers] == ["integer"] * 3
    assert found.encodings_match
