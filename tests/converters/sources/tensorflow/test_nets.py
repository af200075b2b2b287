"""Whole small nets of Keras layers, to every kind of file, in floats and in integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeopt
from edgeopt.converters.sources.tensorflow.framework import keras

layers = keras.layers
Net = tuple[Any, Any]


def gru() -> Net:
    sound = keras.Input((6, 6), name="sound")
    return sound, layers.Dense(4)(layers.GRU(8)(sound))


def lstm() -> Net:
    sound = keras.Input((6, 6), name="sound")
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(sound)
    return sound, layers.Dense(4)(layers.LSTM(8)(x))


def keyword() -> Net:
    """A keyword spotter: separable Conv1D over the frames of a spectrogram."""
    frames = keras.Input((32, 10), name="frames")
    x = frames
    for width in (16, 24):
        x = layers.SeparableConv1D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling1D()(x)
    x = layers.Conv1D(24, 3, dilation_rate=2, padding="causal", activation="relu")(x)
    return frames, layers.Dense(6)(layers.GlobalAveragePooling1D()(x))


def unet() -> Net:
    image = keras.Input((16, 16, 3), name="image")

    def block(x: Any, width: int) -> Any:
        return layers.Conv2D(width, 3, padding="same", activation="relu")(x)

    first = block(image, 8)
    second = block(layers.MaxPooling2D()(first), 16)
    up = layers.Conv2DTranspose(8, 2, strides=2)(block(second, 16))
    x = block(layers.Concatenate()([up, first]), 8)
    return image, layers.Conv2D(2, 1)(x)


def transformer() -> Net:
    tokens = keras.Input((10,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 16)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    hidden = layers.Dense(16)(layers.Dense(32, activation="gelu")(x))
    x = layers.LayerNormalization()(x + hidden)
    return tokens, layers.Dense(3)(layers.GlobalAveragePooling1D()(x))


@pytest.mark.parametrize("make", [gru, lstm, keyword, unet, transformer], ids=lambda f: f.__name__)
def test_a_net_becomes_every_file(make: Callable[[], Net], tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    given, answer = make()
    net = keras.Model(given, answer, name=make.__name__)
    rng = np.random.default_rng(0)
    shape = (40, *given.shape[1:])
    integers = given.dtype == "int32"
    samples = rng.integers(0, 20, shape) if integers else rng.standard_normal(shape)
    named: dict[str, Any] = {given.name: samples.astype(given.dtype)}
    np.savez(tmp_path / "samples.npz", **named)
    made = edgeopt.convert(
        net,
        to="onnx,tflite",
        precision="fp32,fp16,int8",
        calibration=tmp_path / "samples.npz",
        output=tmp_path / "out",
    )
    assert len(made.artifacts) == 6
    for artifact in made.artifacts:
        manifest = artifact.manifest
        assert manifest.official is None
        assert manifest.verification is not None
        assert manifest.verification.passed
        wanted = {"fp32": 100, "fp16": 40, "int8": 20}[manifest.precision.value]
        assert manifest.verification.worst.sqnr_db is None or (
            manifest.verification.worst.sqnr_db > wanted
        )
        if manifest.precision.value == "int8":
            assert manifest.integer_layers
    assert made.artifacts[0].manifest.source_check is not None
    assert made.artifacts[0].manifest.source_check.worst.max_abs_error < 1e-5


def test_keras_gelu_is_one_operator_in_tflite(tmp_path: Path) -> None:
    x = keras.Input((16,), name="x")
    keras.Model(x, layers.Dense(4)(layers.Dense(32, activation="gelu")(x))).save(
        tmp_path / "net.keras"
    )
    made = edgeopt.convert(
        tmp_path / "net.keras", to="onnx,tflite", precision="fp32", output=tmp_path / "out"
    )
    onnx, tflite = made.artifacts
    operators = edgeopt.inspect(tflite.path).ops
    assert operators["GELU"] == 1
    assert "NEG" not in operators
    assert "Neg" not in edgeopt.inspect(onnx.path).ops
    for artifact in (onnx, tflite):
        verified = artifact.manifest.verification
        assert verified is not None
        assert verified.worst.sqnr_db is None or verified.worst.sqnr_db > 100
