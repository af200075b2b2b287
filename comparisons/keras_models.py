"""Keras models beside TensorFlow's own converter: the same photographs, the same outcome.

    python comparisons/keras_models.py MobileNetV2 EfficientNetB0     # names in keras.applications
    python comparisons/keras_models.py MobileNetV2 --latency          # then, on a quiet machine

Weights are random. Statistics of batch normalization are those of photographs, by one pass in
training mode, so that values stay in a plain range from layer to layer, as in a trained net; there
is no softmax at the end. Both sides calibrate on the same 32 photographs; files are judged on 32
others against Keras. Times are processor seconds of whole processes, imports counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import edgeopt

HERE = Path(__file__).resolve().parent
PHOTOGRAPHS = HERE / ".cache/assets/photographs_calibration.npz"  # made by assets/photographs.py
MADE = HERE / ".cache/keras_models"
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


def make(name: str, folder: Path) -> None:
    """Write a model of keras.applications, samples for it, and what it answers to others."""
    import keras

    side = 224
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(side, side, 3), classifier_activation=None
    )
    (pixels,) = (v for v in np.load(PHOTOGRAPHS).values() if v.ndim == 4)
    images = np.ascontiguousarray(np.moveaxis(pixels[: 2 * SAMPLES], 1, -1).astype(np.float32))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # what one batch shows is all there is
    model(images[:SAMPLES], training=True)
    model.save(folder / "model.keras")
    given = model.inputs[0]._keras_history.operation.name
    np.savez(folder / "samples.npz", **{given: images[:SAMPLES]})
    np.savez(folder / "others.npz", **{given: images[SAMPLES:]})
    np.save(folder / "expected.npy", model.predict(images[SAMPLES:], batch_size=8, verbose=0))


def seconds(command: Sequence[str]) -> float:
    """Processor seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def answers(file: Path, others: Path) -> np.ndarray:
    """What a file answers."""
    ((name, images),) = np.load(others).items()
    if file.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file)
        return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    found = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.array(found)


def judged(file: Path, folder: Path) -> dict[str, float]:
    """The distance of a file's answers from the Keras model's."""
    expected = np.load(folder / "expected.npy").astype(np.float64)
    error = answers(file, folder / "others.npz") - expected
    with np.errstate(divide="ignore"):
        decibels = 10 * np.log10(np.square(expected).sum() / np.square(error).sum())
    return {"dB": float(decibels), "worst": float(np.abs(error).max() / np.abs(expected).max())}


def convert(name: str, folder: Path) -> dict[str, Any]:
    """Convert one model both ways; what came of it."""
    make(name, folder)
    model, samples = str(folder / "model.keras"), str(folder / "samples.npz")
    ours = [sys.executable, "-m", "edgeopt", "convert", model, "-q", "--calibration", samples]
    ours += [
        "--evaluation",
        str(folder / "others.npz"),
        "--min-sqnr",
        "-200",
        "-o",
        str(folder),
    ]  # what comes of it is what is compared
    every = [*ours, "--to", "onnx,tflite", "--precision", "fp32,fp16,int8"]
    same = [*ours, "--to", "tflite", "--precision", "fp32,int8", "--no-verify"]  # as the other side
    times = {
        "EdgeOpt, all six, verified": seconds(every),
        "EdgeOpt": seconds(same),
        "official": seconds([sys.executable, "-c", OFFICIAL, model, samples, str(folder)]),
    }
    files = [*folder.glob("*.tflite"), *folder.glob("*.fp*.onnx")]
    found = {file.name: judged(file, folder) for file in sorted(files)}
    # Judged with exact sums, which the kernels of a CPU without VNNI don't have.
    manifest = json.loads((folder / "model.int8.onnx.json").read_text())
    found["model.int8.onnx"] = {"dB": manifest["verification"]["outputs"][0]["sqnr_db"]}
    return {"seconds": times, **found}


def latency(folder: Path) -> dict[str, Any]:
    """The official file's latency over ours, timed in turns."""
    found = {}
    for precision in ("fp32", "int8"):
        files = [folder / f"{stem}.{precision}.tflite" for stem in ("model", "official")]
        ratio = edgeopt.benchmark(files, save=False).ratios[-1]
        found[precision] = [ratio.point, ratio.low, ratio.high]
    return {"official latency / EdgeOpt's": found}


def main() -> None:
    """Compare each model that is named, and keep what was found beside its files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--latency", action="store_true", help="of files that are there already")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in options.models:
        folder = MADE / name
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / "found.json"
        found = latency(folder) if options.latency else convert(name, folder)
        before = json.loads(kept.read_text()) if options.latency and kept.exists() else {}
        kept.write_text(json.dumps({**before, **found}, indent=1))
        print(name, json.dumps(found, indent=1), flush=True)


if __name__ == "__main__":
    main()
