"""Keras models of which our TFLite compiler lacks an operator, and of which it doesn't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Make = Callable[[str], Any]


@pytest.fixture(scope="session")
def make() -> Make:
    """Makes the net; with ``different`` it has outputs out of the order of their names, the second
    by an operator that isn't compiled.
    """
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf2onnx")
    from edgeopt.converters.sources.tensorflow.framework import keras, tf

    layers = keras.layers

    class Different(keras.layers.Layer):  # type: ignore[misc]
        """How many whole numbers there are among its inputs: through a tensor of any length."""

        def call(self, x: Any) -> Any:
            flat = tf.reshape(tf.cast(tf.round(x), tf.int32), [-1])
            return 0.0 * x[:, :1] + tf.cast(tf.size(tf.unique(flat)[0]), tf.float32)

    def net(second: str) -> Any:
        image = keras.Input((16, 16, 3), batch_size=1 if second else None, name="image")
        x = layers.Conv2D(8, 3, strides=2, padding="same")(image)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same")(x)])
        x = layers.MaxPooling2D()(layers.Conv2D(8, 1, activation="relu")(x))
        scores = layers.Dense(5, name="scores")(layers.GlobalAveragePooling2D()(x))
        outputs = [scores, Different(name=second)(scores)] if second else scores
        return scrambled(keras.Model(image, outputs, name="net"))

    return net


def scrambled(model: Any) -> Any:
    rng = np.random.default_rng(5)
    for variable in model.variables:
        values = rng.standard_normal(variable.shape) / max(1, *variable.shape[:1]) ** 0.5
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.name else values)
    return model


@pytest.fixture(scope="session")
def beyond(make: Make) -> Any:
    """A net that our compiler can't express."""
    return make("different")


@pytest.fixture(scope="session")
def within(make: Make) -> Any:
    """The same one without what it lacks."""
    return make("")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """40 samples for both."""
    path = tmp_path / "images.npz"
    noise = np.random.default_rng(0).standard_normal((40, 16, 16, 3))
    np.savez(path, image=noise.astype(np.float32))
    return path
