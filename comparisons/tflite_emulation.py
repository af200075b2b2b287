"""MobileNetV2 and EfficientNet-Lite0 to int8 TFLite: LiteRT's scores beside the emulation's.

On photographs; XNNPACK's integer kernels are written down in ``converters/tflite/emulation.py``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from architectures import export, exported
from environments import HERE, ours
from figures import Finding, plain
from kept import Kept, once
from tables import table

from edgeopt.calibration.observer import observe
from edgeopt.calibration.ranges import RangeMethod
from edgeopt.calibration.table import Sampling
from edgeopt.converters.onnx.quantized import quantized
from edgeopt.converters.simplify import simplify
from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.converters.tflite.emulation import emulate
from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.converters.tflite.model import Model
from edgeopt.converters.tflite.placement import LiteRtPlacement
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.effort import Effort
from edgeopt.core.ends import quantized as quantized_ends
from edgeopt.core.litert import open_litert
from edgeopt.core.precision import Format, Precision
from edgeopt.data import Sample
from edgeopt.targets import load_target

ASSETS = HERE / ".cache" / "assets"
CALIBRATED, COMPARED = 32, 8
HEAD = ("net", "scores", "equal", "operators emulated")


def main(assets: Path) -> list[str]:
    """Compare them, and give the lines of a Markdown table."""
    return table(
        HEAD,
        (
            [name, str(count), f"{equal / count:.2%}", str(operators)]
            for name, (equal, count, operators) in _found(assets).items()
        ),
    )


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    found = _found(assets).values()
    equal, count = (sum(each[part] for each in found) for part in (0, 1))
    yield plain("tflite.emulation", count - equal, 0, f"of {count:,} scores")


def _found(assets: Path) -> dict[str, tuple[int, int, int]]:
    """What :func:`compared` finds of each net; kept."""
    export(["mobilenet_v2"])
    nets = {
        "MobileNetV2 (random weights)": exported("mobilenet_v2"),
        "EfficientNet-Lite0": assets / "efficientnet_lite0.onnx",
    }
    kept = Kept("tflite_emulation")
    return {
        name: once(kept, name, ours(path), partial(compared, path), lasting=True)
        for name, path in nets.items()
    }


def compared(path: Path) -> tuple[int, int, int]:
    """How many scores are equal, how many there are, and how many operators gave them."""
    with tempfile.TemporaryDirectory() as scratch:
        model = _compiled(path, Path(scratch))
        file = Path(scratch, "model.tflite")
        file.write_bytes(to_flatbuffer(model))
        opened = open_litert(file).interpreter
    runner, (output,) = opened.get_signature_runner(), model.names[1]
    equal = count = 0
    for image in _photographs("heldout", COMPARED):
        inputs = {model.names[0][0]: _as_taken(image, model)}
        found, wanted = runner(**inputs)[output], emulate(model, inputs)[output]
        equal, count = equal + int((found == wanted).sum()), count + wanted.size
    return equal, count, len(model.operators)


def _compiled(path: Path, scratch: Path) -> Model:
    """The net in integers from end to end, channels last."""
    return compile_model(calibrated(path, scratch), channels_last=True, integers=True)


def calibrated(path: Path, scratch: Path) -> Any:
    """A net's int8 graph for LiteRT, as the compiler takes it, by 32 photographs' extremes."""
    graph = simplify(path, scratch / "float.onnx", path.name)
    (spec,) = graph.inputs
    samples = [
        Sample({spec.name: image[None]}, None, f"photograph {n}")
        for n, image in enumerate(_photographs("calibration", CALIBRATED))
    ]
    target = load_target("x86-64-vnni")
    request = WriteRequest(
        graph, target, scratch / "model.tflite", scratch,
        table=observe(graph, samples, sampling=Sampling.EXACT), ranges=RangeMethod.MIN_MAX,
        effort=Effort.FAST,
    )  # fmt: skip
    rules = target.rules(Format.TFLITE)
    return quantized(request, rules, Precision.INT8, LiteRtPlacement(rules)).model


def _as_taken(image: np.ndarray, model: Model) -> np.ndarray:
    """A photograph, ``(3, 224, 224)``, as the file's integers, ``(1, 224, 224, 3)``."""
    (data,) = model.inputs
    assert data.quantization is not None
    found = image.transpose(1, 2, 0)[None]
    scale, zero = data.quantization.scale[0], data.quantization.zero_point[0]
    return quantized_ends(np.ascontiguousarray(found), data.dtype, scale, zero)


def _photographs(kind: str, count: int) -> np.ndarray:
    with np.load(ASSETS / f"efficientnet_lite0_{kind}.npz") as archive:
        images: np.ndarray = archive[archive.files[0]][:count]
    return images


if __name__ == "__main__":
    print("\n".join(main(ASSETS)))
