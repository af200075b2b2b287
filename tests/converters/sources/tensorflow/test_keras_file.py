"""Keras's own files, of this Keras and of tf.keras 2."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import edgeopt
from edgeopt.converters.sources.tensorflow.framework import keras

ASSETS = Path(__file__).parent / "assets"


def operators(path: str) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def outputs(path: str, **inputs: np.ndarray) -> list[Any]:
    return list(onnxruntime.InferenceSession(path).run(None, inputs))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_becomes_onnx_that_computes_the_same(
    net: Any, tmp_path: Path, rng: np.random.Generator, suffix: str
) -> None:
    file = tmp_path / f"net{suffix}"
    net.save(file)
    (artifact,) = edgeopt.convert(file, output=tmp_path / "out").artifacts
    manifest = artifact.manifest
    assert Path(artifact.path).name == "net.fp32.onnx"
    assert [str(i) for i in manifest.inputs] == ["image:float32[batch,12,12,3]"]
    assert [str(o) for o in manifest.outputs] == ["scores:float32[batch,5]"]
    assert manifest.source.kind == "keras"
    assert {"keras", "tf2onnx"} <= set(manifest.versions)
    assert onnx.load(artifact.path).opset_import[0].version >= 18
    image = rng.standard_normal((3, 12, 12, 3)).astype(np.float32)
    np.testing.assert_allclose(
        outputs(artifact.path, image=image)[0], net(image), rtol=1e-5, atol=1e-5
    )


def test_one_transpose_is_left_and_batchnorm_is_merged(keras_file: Path, tmp_path: Path) -> None:
    (artifact,) = edgeopt.convert(keras_file, output=tmp_path / "out").artifacts
    found = operators(artifact.path)
    assert found["Transpose"] == 1
    assert found["Conv"] == 3
    assert not {"BatchNormalization", "Shape", "Cast", "Squeeze"} & set(found)
    names = [n.name for n in onnx.load(artifact.path).graph.node if n.op_type == "Conv"]
    assert [name.partition("/")[0] for name in names] == ["norm", "depthwise", "gate"]


def test_int8_in_both_formats_from_one_calibration(
    keras_file: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    images = rng.standard_normal((40, 12, 12, 3)).astype(np.float32)
    np.savez(tmp_path / "images.npz", image=images)
    made = edgeopt.convert(
        keras_file,
        to="onnx,tflite",
        precision="fp32,int8",
        calibration=tmp_path / "images.npz",
        layout="nhwc",
        output=tmp_path / "out",
    )
    assert [Path(a.path).name for a in made.artifacts] == [
        "net.fp32.onnx", "net.int8.onnx", "net.fp32.tflite", "net.int8.tflite"
    ]  # fmt: skip
    int8 = made.artifacts[3].manifest
    assert int8.verification is not None
    assert int8.verification.worst.sqnr_db is None or int8.verification.worst.sqnr_db > 20
    assert int8.integer_layers == 4
    checked = made.artifacts[2].manifest.verification
    assert checked is not None
    assert checked.passed


def test_channels_first_is_refused_where_they_are_last(keras_file: Path, tmp_path: Path) -> None:
    with pytest.raises(edgeopt.EdgeOptError, match="has channels last already"):
        edgeopt.convert(keras_file, to="tflite", layout="nchw", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_input_fixes_the_batch(keras_file: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(keras_file, input=["image:float32[2,12,12,3]"], output=tmp_path / "out")
    manifest = made.artifacts[0].manifest
    assert manifest.inputs[0].shape == (2, 12, 12, 3)
    assert manifest.outputs[0].shape == (2, 5)


def test_several_inputs_and_outputs_and_a_fixed_batch(tmp_path: Path, scrambled: Any) -> None:
    layers = keras.layers
    tokens = keras.Input(batch_shape=(2, 6), dtype="int32", name="tokens")
    scale = keras.Input(batch_shape=(2, 4), name="scale")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(9, 4)(tokens))
    x = layers.Multiply(name="product")([x, scale])
    model = scrambled(keras.Model([tokens, scale], [layers.Dense(3, name="scores")(x), x]))
    model.save(tmp_path / "two.keras")
    rng = np.random.default_rng(0)
    given = {
        "tokens": rng.integers(0, 9, (2, 6)).astype(np.int32),
        "scale": rng.standard_normal((2, 4)).astype(np.float32),
    }
    (artifact,) = edgeopt.convert(tmp_path / "two.keras", output=tmp_path / "out").artifacts
    manifest = artifact.manifest
    assert [str(i) for i in manifest.inputs] == ["tokens:int32[2,6]", "scale:float32[2,4]"]
    assert [o.name for o in manifest.outputs] == ["scores", "product"]
    expected = model(list(given.values()))
    for got, want in zip(outputs(artifact.path, **given), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_an_h5_of_tf_keras_2(tmp_path: Path) -> None:
    # Made by tf_keras 2.21, whose answers to the pictures in the .npz lie beside them.
    (artifact,) = edgeopt.convert(ASSETS / "tf_keras_2.h5", output=tmp_path / "out").artifacts
    known = np.load(ASSETS / "tf_keras_2.npz")
    np.testing.assert_allclose(
        outputs(artifact.path, image=known["image"])[0], known["scores"], atol=1e-6
    )


@pytest.mark.parametrize(
    ("layer", "operator"),
    [
        (lambda: keras.layers.LSTM(6), "LSTM"),
        (lambda: keras.layers.GRU(6), "Tanh"),
        (lambda: keras.layers.Bidirectional(keras.layers.LSTM(6)), "LSTM"),
        (lambda: keras.layers.SeparableConv1D(6, 3, padding="same"), "Conv"),
        (lambda: keras.layers.MultiHeadAttention(2, 4), "Softmax"),
        (lambda: keras.layers.Dense(6, activation="gelu"), "Erf"),
        (lambda: keras.layers.Conv1D(6, 3, groups=2, activation="silu"), "Conv"),
    ],
    ids=["lstm", "gru", "bidirectional", "separable", "attention", "gelu", "grouped"],
)
def test_sequences(
    layer: Any, operator: str, tmp_path: Path, scrambled: Any, rng: np.random.Generator
) -> None:
    sound = keras.Input((10, 4), name="sound")
    made = layer()
    x = made(sound, sound) if made.name.startswith("multi_head") else made(sound)
    model = scrambled(keras.Model(sound, x))
    artifacts = edgeopt.convert(model, to="onnx,tflite", output=tmp_path / "out").artifacts
    assert operators(artifacts[0].path)[operator]
    assert "Loop" not in operators(artifacts[0].path)
    given = rng.standard_normal((2, 10, 4)).astype(np.float32)
    np.testing.assert_allclose(outputs(artifacts[0].path, sound=given)[0], model(given), atol=1e-5)


def test_an_embedding_is_one_gather(tmp_path: Path) -> None:
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    model = keras.Model(tokens, keras.layers.Embedding(9, 4)(tokens))
    made = edgeopt.convert(model, to="onnx,tflite", output=tmp_path / "out").artifacts
    assert operators(made[0].path) == {"Gather": 1}
    given = np.array([[0, 3, 8, -1, -9, 5]], np.int32)  # Keras counts from the end
    np.testing.assert_array_equal(outputs(made[0].path, tokens=given)[0], model(given))
    delegation = made[1].manifest.delegation
    assert delegation is not None
    assert [node.op for node in delegation.outside] == ["FLOOR_MOD", "GATHER"]


def test_a_choice_beside_infinity(tmp_path: Path) -> None:
    x = keras.Input((4,), name="x")
    model = keras.Model(x, keras.ops.where(x > 0, x, keras.ops.zeros_like(x)))
    (made,) = edgeopt.convert(model, output=tmp_path / "out").artifacts
    given = np.array([[1.0, -np.inf, np.inf, -2.0]], np.float32)
    np.testing.assert_array_equal(outputs(made.path, x=given)[0], model(given))


def test_transposed_convolutions(tmp_path: Path, scrambled: Any, rng: np.random.Generator) -> None:
    layers = keras.layers
    image = keras.Input((8, 8, 2), name="image")
    down = layers.MaxPooling2D()(layers.Conv2D(4, 3, padding="same", activation="relu")(image))
    up = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(down)
    both = layers.Concatenate()([up, image])
    model = scrambled(keras.Model(image, layers.Conv2D(2, 1, activation="sigmoid")(both)))
    artifacts = edgeopt.convert(model, to="onnx,tflite", output=tmp_path / "out").artifacts
    assert operators(artifacts[0].path)["Transpose"] == 2
    given = rng.standard_normal((1, 8, 8, 2)).astype(np.float32)
    np.testing.assert_allclose(outputs(artifacts[0].path, image=given)[0], model(given), atol=1e-5)
