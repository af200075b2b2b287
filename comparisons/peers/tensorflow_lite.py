"""A Keras file to TFLite by TensorFlow's own converter: float, and int8 with its calibration.

python tensorflow_lite.py MODEL.keras SAMPLES.npz FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf


def main(model: str, samples: str, folder: Path) -> None:
    """Convert."""
    net = keras.models.load_model(model)
    with np.load(samples) as archive:
        (images,) = archive.values()
    for precision in ("fp32", "int8"):
        converter = tf.lite.TFLiteConverter.from_keras_model(net)
        if precision == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[None]] for image in images)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        (folder / f"model.{precision}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
