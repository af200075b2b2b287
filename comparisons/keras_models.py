"""Keras models beside TensorFlow's own converter: float and int8 TFLite of the same samples.

    python comparisons/keras_models.py MobileNetV2 EfficientNetB0     # names in keras.applications

For each: whole-process time of both (imports counted), the distance of each file from the Keras
model on the calibration samples, and the latencies, timed in turns. Weights are random, with
statistics of batch normalization that keep every layer's values in a plain range.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import edgeopt

SAMPLES = 32

OFFICIAL = """
import sys
import numpy as np, tensorflow as tf, keras
model, samples, folder = keras.models.load_model(sys.argv[1]), sys.argv[2], sys.argv[3]
(images,) = np.load(samples).values()
for precision in ("fp32", "int8"):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    open(f"{folder}/official.{precision}.tflite", "wb").write(converter.convert())
"""


def make(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a model of keras.applications and samples for it."""
    import keras

    model = getattr(keras.applications, name)(weights=None, input_shape=(224, 224, 3))
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if "gamma" in variable.path and "layer_scale" not in variable.path:
            variable.assign(rng.uniform(0.8, 1.2, variable.shape))
        elif any(part in variable.path for part in ("beta", "bias", "moving_mean")):
            variable.assign(rng.normal(0, 0.1, variable.shape))
        elif "moving_variance" in variable.path:
            variable.assign(rng.uniform(0.05, 0.2, variable.shape))
    model.save(folder / "model.keras")
    images = rng.standard_normal((SAMPLES, 224, 224, 3)).astype(np.float32)
    name = model.inputs[0]._keras_history.operation.name
    np.savez(folder / "samples.npz", **{name: images})
    scores = keras.Model(model.input, model.layers[-1].output)
    np.save(folder / "expected.npy", scores.predict(images, batch_size=8, verbose=0))
    return folder / "model.keras", folder / "samples.npz"


def seconds(command: Sequence[str]) -> float:
    """How long a process takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def sqnr(file: Path, samples: Path, expected: np.ndarray) -> float:
    """The distance of a file's answers from the Keras model's, in dB."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (images,) = np.load(samples).values()
    found = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    noise = np.square(expected - np.array(found), dtype=np.float64).sum()
    return float(10 * np.log10(np.square(expected, dtype=np.float64).sum() / noise))


def compare(name: str, folder: Path) -> None:
    """Convert one model both ways and print what came of it."""
    model, samples = make(name, folder)
    ours = [sys.executable, "-m", "edgeopt", "convert", str(model), "--to", "tflite"]
    ours += ["--precision", "fp32,int8", "--calibration", str(samples), "-o", str(folder)]
    ours += ["--min-sqnr", "-200"]  # what comes of it is what is compared
    theirs = [sys.executable, "-c", OFFICIAL, str(model), str(samples), str(folder)]
    print(f"{name}: EdgeOpt {seconds(ours):.1f} s, TFLiteConverter {seconds(theirs):.1f} s")
    expected = np.load(folder / "expected.npy")
    for precision in ("fp32", "int8"):
        files = [folder / f"{stem}.{precision}.tflite" for stem in ("model", "official")]
        found = [sqnr(file, samples, expected) for file in files]
        ratio = edgeopt.benchmark(files, save=False).ratios[-1]
        print(
            f"  {precision}: {found[0]:.1f} dB, official {found[1]:.1f} dB; official's latency is "
            f"{ratio.point:.2f}x [{ratio.low:.2f}, {ratio.high:.2f}] ours"
        )


def main() -> None:
    """Compare each model that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+")
    for name in parser.parse_args().models:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, Path(folder))


if __name__ == "__main__":
    main()
