"""A model of keras.applications with random weights, samples for it, and what it answers to others.

    python tensorflow_models.py MobileNetV2 PHOTOGRAPHS.npz FOLDER

Statistics of batch normalization are those of photographs, by one pass in training mode, so that
values stay in a plain range from layer to layer, as in a trained net; there is no softmax.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

SIDE, SAMPLES, SEED = 224, 32, 0


def main(name: str, photographs: str, folder: Path) -> None:
    """Write ``model.keras``, ``samples.npz``, ``others.npz`` and ``expected.npy``."""
    keras.utils.set_random_seed(SEED)
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(SIDE, SIDE, 3), classifier_activation=None
    )
    with np.load(photographs) as archive:
        pixels = archive["pixels"][: 2 * SAMPLES]
    images = np.ascontiguousarray(np.moveaxis(pixels, 1, -1).astype(np.float32))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # what one batch shows is all there is
    model(images[:SAMPLES], training=True)
    given = model.inputs[0]._keras_history.operation.name
    np.savez(folder / "samples.npz", **{given: images[:SAMPLES]})
    np.savez(folder / "others.npz", **{given: images[SAMPLES:]})
    np.save(folder / "expected.npy", model.predict(images[SAMPLES:], batch_size=8, verbose=0))
    model.save(folder / "model.keras")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
