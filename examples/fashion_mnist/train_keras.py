"""Train the network of ``train.py`` in Keras and write ``model.keras``.

    python train_keras.py --data DIR        # DIR holds the four *-ubyte.gz files

The architecture, the normalization inside the network and the training's schedule are the same;
what differs is the framework, and with it the chance in the training: images have channels last,
``image`` (batch, 28, 28, 1) -> ``scores`` (batch, 10). ``samples.py`` gives the example's data in
that order.
"""

from __future__ import annotations

import argparse
import gzip
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

CLASSES = 10
SIDE = 28
BATCH = 64
PEAK_LEARNING_RATE = 0.15
WEIGHT_DECAY = 5e-3  # ten times PyTorch's 5e-4: Keras's doesn't pass through the momentum of 0.9
LABEL_SMOOTHING = 0.05
MAX_SHIFT = 2  # pixels

# Mean and standard deviation of the training images' pixels, on the 0..255 scale.
PIXEL_MEAN = 72.94
PIXEL_STD = 90.02


def conv_bn(x: keras.KerasTensor, outputs: int, kernel: int) -> keras.KerasTensor:
    """Apply a convolution without a bias and the batch normalization that supplies it."""
    x = layers.Conv2D(outputs, kernel, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def inverted_residual(
    x: keras.KerasTensor, outputs: int, stride: int, expansion: int
) -> keras.KerasTensor:
    """Apply MobileNetV2's block: expand, filter each channel alone, project; add the input.

    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", section 3.
    """
    inputs = x.shape[-1]
    y = layers.ReLU(6.0)(conv_bn(x, inputs * expansion, 1)) if expansion > 1 else x
    if stride > 1:  # padded on both sides, as PyTorch does
        y = layers.ZeroPadding2D(1)(y)
    padding = "valid" if stride > 1 else "same"
    y = layers.DepthwiseConv2D(3, stride, padding=padding, use_bias=False)(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(y))
    y = conv_bn(y, outputs, 1)
    return layers.Add()([x, y]) if stride == 1 and inputs == outputs else y


def net() -> keras.Model:
    """Return the network: pixels float32 (N, 28, 28, 1), 0..255 -> scores float32 (N, 10)."""
    image = keras.Input((SIDE, SIDE, 1), name="image")
    x = layers.Rescaling(1 / PIXEL_STD, -PIXEL_MEAN / PIXEL_STD)(image)
    x = layers.ReLU(6.0)(conv_bn(x, 32, 3))
    for outputs, stride, expansion in (
        (64, 2, 1), (64, 1, 3), (64, 1, 3), (96, 2, 3), (96, 1, 3)
    ):  # fmt: skip
        x = inverted_residual(x, outputs, stride, expansion)
    x = layers.ReLU(6.0)(conv_bn(x, 192, 1))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(CLASSES, name="scores")(x), name="fashion")


def read_split(folder: Path, prefix: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read one split (``train`` or ``t10k``): images (N, 28, 28, 1) and labels (N,)."""
    images = gzip.decompress((folder / f"{prefix}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, SIDE, SIDE, 1)
    return pixels, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def augmented(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mirror half of the images and shift each by up to ``MAX_SHIFT`` pixels."""
    image = tf.image.random_flip_left_right(image)
    image = tf.pad(image, [(MAX_SHIFT, MAX_SHIFT), (MAX_SHIFT, MAX_SHIFT), (0, 0)])
    image = tf.image.random_crop(image, (SIDE, SIDE, 1))
    return tf.cast(image, tf.float32), tf.one_hot(label, CLASSES)


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up along a cosine over a fifth of the steps, then down to nothing."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Return the learning rate at a step."""
        done = tf.cast(step, tf.float32) / self.steps
        up = 0.04 + 0.96 * (1 - tf.cos(np.pi * done / 0.2)) / 2
        down = (1 + tf.cos(np.pi * (done - 0.2) / 0.8)) / 2
        return PEAK_LEARNING_RATE * tf.where(done < 0.2, up, down)


def train(model: keras.Model, folder: Path, epochs: int, seed: int) -> None:
    """Train in place: SGD under a one-cycle learning rate, weight decay on every weight."""
    images, labels = read_split(folder, "train")
    data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(labels), seed)
    batches = data.map(augmented, tf.data.AUTOTUNE).batch(BATCH, drop_remainder=True).prefetch(4)
    optimizer = keras.optimizers.SGD(
        OneCycle(epochs * (len(labels) // BATCH)),
        momentum=0.9,
        nesterov=True,
        weight_decay=WEIGHT_DECAY,
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING)
    # XLA, Keras's default, takes minutes to compile depthwise convolutions for a CPU.
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    model.fit(batches, epochs=epochs, verbose=2)


def main() -> None:
    """Train, report the accuracy and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the *-ubyte.gz files")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    model = net()
    train(model, options.data, options.epochs, options.seed)
    images, labels = read_split(options.data, "t10k")
    scores = model.predict(images.astype(np.float32), batch_size=500, verbose=0)
    print(f"accuracy on all 10,000 test images: {(scores.argmax(1) == labels).mean():.2%}")
    bare = net()  # without the optimizer's state, of which nobody has use here
    bare.set_weights(model.get_weights())
    bare.save(options.output / "model.keras")


if __name__ == "__main__":
    main()
