"""Layers alone: integer weights, float input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from edgeopt.core.ir import ir
from edgeopt.core.runtime import open_session
from edgeopt.pipeline.diagnosis.alone import Copier
from edgeopt.pipeline.diagnosis.counterparts import expose


def alone(float_path: Path, artifact: Path, scratch: Path) -> dict[str, np.ndarray]:
    """Each layer's output by itself, and the float graph's, for one sample."""
    reference, made = ir.load(float_path), ir.load(artifact)
    found = Copier(reference.graph, made.graph).layers_alone()
    names = expose(reference.graph, found.values())
    ir.save(reference, scratch / "alone.onnx")
    image = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)
    values = open_session(scratch / "alone.onnx", emulated=True).run(names, {"image": image})
    return {"image": image, **dict(zip(found, values, strict=True))}


def dequantized(artifact: Path, name: str) -> np.ndarray:
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(artifact).graph.initializer}
    scale = stored[f"{name}_scale"]
    shape = [-1] + [1] * (stored[f"{name}_quantized"].ndim - 1) if scale.ndim else []
    array: np.ndarray = stored[f"{name}_quantized"] * scale.reshape(shape)
    return array.astype(np.float32)


def test_every_layer_is_copied_with_what_is_merged_into_it(
    conv_net: Path, artifact: Path, tmp_path: Path
) -> None:
    found = alone(artifact.with_name("conv_net.fp32.onnx"), artifact, tmp_path)
    assert set(found) == {"image", "r1", "c2", "scores"}
    assert found["r1"].min() >= 0
    assert found["r1"].max() <= 6


def test_a_copy_computes_with_the_artifacts_weights(
    conv_net: Path, artifact: Path, tmp_path: Path
) -> None:
    found = alone(artifact.with_name("conv_net.fp32.onnx"), artifact, tmp_path)
    weight = dequantized(artifact, "w1")
    names = [t.name for t in onnx.load(artifact).graph.initializer]
    bias = next(n for n in names if n.startswith("b1") and n.endswith("_quantized"))
    offset = dequantized(artifact, bias.removesuffix("_quantized"))
    padded = np.pad(found["image"][0], ((0, 0), (1, 1), (1, 1)))
    at = np.einsum("oijk,ijk->o", weight, padded[:, 3:6, 4:7]) + offset
    np.testing.assert_allclose(found["r1"][0, :, 3, 4], np.clip(at, 0, 6), rtol=1e-4, atol=1e-5)


def test_half_precision_weights_are_copied_too(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    import edgeopt

    made = edgeopt.convert(conv_net, precision="fp32,fp16", output=tmp_path / "half")
    paths = [Path(a.path) for a in made.artifacts]
    found = alone(paths[0], paths[1], tmp_path)
    assert set(found) == {"image", "r1", "c2", "scores"}
    assert found["scores"].dtype == np.float32
