"""Normalization at an input: the same numbers by a convolution, and a range for the image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.calibration.ranges import Range
from edgeopt.converters.tflite.fusions.normalization import convolve_normalization
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir
from edgeopt.core.tflite_file import read_tflite

Save = Callable[..., Path]

MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)

NORMALIZATIONS: dict[str, list[Any]] = {
    "by channel": [("Sub", "image", MEAN), ("Div", "", STD)],
    "by numbers": [("Mul", "image", np.float32(2 / 255)), ("Sub", "", np.float32(1))],
    "turned over": [("Sub", np.float32(1), "image"), ("Add", "", np.full(1, 0.5, np.float32))],
}


def normalizing_net(save_model: Save, rng: np.random.Generator, steps: list[Any]) -> Path:
    """A few steps of arithmetic on an image, a padded convolution, and a softmax."""
    constants = {"w": (0.3 * rng.standard_normal((8, 3, 3, 3))).astype(np.float32)}
    nodes, before = [], "image"
    for n, (op, *operands) in enumerate(steps):
        names = []
        for side, operand in enumerate(operands):
            if isinstance(operand, str):
                names.append(operand or before)
            else:
                names.append(f"c{n}_{side}")
                constants[names[-1]] = np.asarray(operand)
        before = f"s{n}"
        nodes.append(helper.make_node(op, names, [before], f"step{n}"))
    nodes += [
        helper.make_node("Conv", [before, "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"], "pool"),
        helper.make_node("Flatten", ["p"], ["f"], "flat"),
        helper.make_node("Softmax", ["f"], ["y"], "softmax"),
    ]
    ends = [("image", TensorProto.FLOAT, ["n", 3, 8, 8])], [("y", TensorProto.FLOAT, ["n", 8])]
    return save_model(nodes, *ends, constants)


def pictures(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.random((count, 3, 8, 8)).astype(np.float32)


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_the_convolution_computes_the_same(
    save_model: Save, rng: np.random.Generator, tmp_path: Path, kind: str
) -> None:
    path = normalizing_net(save_model, rng, NORMALIZATIONS[kind])
    image = {"image": pictures(rng, 2)}
    (expected,) = ort.InferenceSession(str(path)).run(None, image)
    model = ir.load(path)
    found = convolve_normalization(model.graph, {"s1": Range(low=-3, high=3)})
    assert list(found) == ["image"]
    ir.save(model, tmp_path / "convolved.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "convolved.onnx").graph.node]
    assert kinds == ["Conv", "Conv", "GlobalAveragePool", "Flatten", "Softmax"]
    (result,) = ort.InferenceSession(str(tmp_path / "convolved.onnx")).run(None, image)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_the_images_range_gives_what_was_observed(
    save_model: Save, rng: np.random.Generator
) -> None:
    path = normalizing_net(save_model, rng, NORMALIZATIONS["by numbers"])
    found = convolve_normalization(ir.load(path).graph, {"s1": Range(low=-1, high=1)})
    assert found["image"].low == pytest.approx(0, abs=1e-4)
    assert found["image"].high == pytest.approx(255, rel=1e-6)


def test_what_is_no_normalization_stays(save_model: Save, rng: np.random.Generator) -> None:
    wide = rng.random((3, 8, 8)).astype(np.float32)
    cases: list[list[Any]] = [
        [("Div", np.float32(1), "image")],
        [("Add", "image", "image")],
        [("Sub", "image", wide)],
        [("Mul", "image", np.float32(0))],
    ]
    for steps in cases:
        graph = ir.load(normalizing_net(save_model, rng, steps)).graph
        assert convolve_normalization(graph, {"s0": Range(low=-1, high=1)}) == {}
        assert graph[0].op_type == steps[0][0]


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_an_integer_model_takes_and_gives_integers(
    save_model: Save, rng: np.random.Generator, tmp_path: Path, kind: str
) -> None:
    path = normalizing_net(save_model, rng, NORMALIZATIONS[kind])
    np.savez(tmp_path / "data.npz", image=pictures(rng, 40))
    made = edgeopt.convert(
        path, to="tflite", precision="int8", io="int8", output=tmp_path / "out", min_sqnr=20,
        calibration=tmp_path / "data.npz", evaluation=tmp_path / "data.npz",
    )  # fmt: skip
    (artifact,) = made.artifacts
    file = read_tflite(Path(artifact.path))
    assert [spec.dtype for which in (0, 1) for spec in file.ends(which)] == ["int8", "int8"]
    floats = [op.code for op in file.operators if "float" in file.tensors[op.outputs[0]].spec.dtype]
    assert set(floats) <= {"DEQUANTIZE", "SOFTMAX"}


def test_integer_ends_that_cannot_be_are_refused(
    save_model: Save, rng: np.random.Generator, tmp_path: Path
) -> None:
    steps: list[Any] = [("Max", "image", np.float32(0.1)), ("Sub", "", np.float32(1))]
    path = normalizing_net(save_model, rng, steps)
    np.savez(tmp_path / "data.npz", image=pictures(rng, 40))
    with pytest.raises(UnsupportedError, match=r"--io int8: MAXIMUM 'step0' takes input 'image'"):
        edgeopt.convert(
            path, to="tflite", precision="int8", io="int8", output=tmp_path / "out",
            calibration=tmp_path / "data.npz",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
