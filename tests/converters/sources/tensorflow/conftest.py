"""Keras models made here: small, real, saved in every way a user might have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from edgeopt.converters.sources.tensorflow.framework import keras, tf

ASSETS = Path(__file__).parent / "assets"
Scrambled = Callable[[Any], Any]


@pytest.fixture(scope="session")
def scrambled() -> Scrambled:
    """Give every variable values that matter: fresh ones leave much of a net unseen."""

    def scramble(model: Any) -> Any:
        rng = np.random.default_rng(5)
        for variable in model.variables:
            values = rng.standard_normal(variable.shape) / max(1, variable.shape[0]) ** 0.5
            variable.assign(np.abs(values) + 0.5 if "variance" in variable.name else values)
        return model

    return scramble


@pytest.fixture(scope="session")
def net(scrambled: Scrambled) -> Any:
    """Conv, BatchNorm, ReLU6, depthwise, squeeze-and-excite, residual: (N, 12, 12, 3) to (N, 5)."""
    layers = keras.layers
    image = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    # Named, since Keras numbers those that aren't by what was made before in the same process.
    x = layers.ReLU(6.0)(layers.BatchNormalization(name="norm")(x))
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    gate = layers.GlobalAveragePooling2D()(y)
    gate = layers.Reshape((1, 1, 8))(gate)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="gate")(gate)
    x = layers.Add()([x, layers.Multiply()([y, gate])])
    scores = layers.Dense(5, name="scores")(layers.GlobalAveragePooling2D()(x))
    return scrambled(keras.Model(image, scores, name="small"))


@pytest.fixture(scope="session")
def keras_file(net: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``net`` as a ``.keras``."""
    path = tmp_path_factory.mktemp("keras") / "net.keras"
    net.save(path)
    return path


@pytest.fixture(scope="session")
def saved_model(net: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``net`` as a SavedModel."""
    path = tmp_path_factory.mktemp("saved") / "net"
    net.export(path, verbose=False)
    return path


@pytest.fixture(scope="session")
def two_signatures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of TensorFlow's own making that doubles or squares."""

    class Module(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator]
        def double(self, x: Any) -> Any:
            return {"twice": x * self.factor}

        @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator]
        def square(self, x: Any) -> Any:
            return {"squared": x * x}

    module = Module()
    path = tmp_path_factory.mktemp("signatures") / "both"
    tf.saved_model.save(module, path, {"double": module.double, "square": module.square})
    return path
