"""Transposes are moved until they meet, and nothing that is computed changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.reordering.transposes import move_transposes
from edgeopt.core.ir import ir, passes

LAST, FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
Save = Callable[..., Path]


def moved(path: Path) -> tuple[Counter[str], Path]:
    """The operators after the pass, and the file it wrote."""
    model = ir.load(path)
    passes.ShapeInferencePass()(model)
    move_transposes(model)
    result = path.with_name("moved.onnx")
    ir.save(model, result)
    onnx.checker.check_model(onnx.load(result), full_check=True)
    return Counter(node.op_type for node in model.graph), result


def run(path: Path, x: np.ndarray) -> list[Any]:
    session = onnxruntime.InferenceSession(path)
    return list(session.run(None, {session.get_inputs()[0].name: x}))


def between(middle: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Channels last, a pool with channels first, then ``middle`` from ``x`` to ``y``."""
    return [
        helper.make_node("Transpose", ["image"], ["first"], perm=FIRST),
        helper.make_node("MaxPool", ["first"], ["pooled"], kernel_shape=[1, 1]),
        helper.make_node("Transpose", ["pooled"], ["x"], perm=LAST),
        *middle,
    ]


CONSTANTS = {
    "channel": np.array([0.5, -1.0, 2.0], np.float32),
    "two": np.float32(2),
    "hw": np.array([1, 2], np.int64),
    "w": np.array([2], np.int64),
    "pads": np.array([0, 1, 2, 0, 0, 0, 1, 0], np.int64),
    "start": np.array([1], np.int64),
    "stop": np.array([3], np.int64),
    "halves": np.array([1, 2], np.int64),
}
CASES = {
    "relu": [helper.make_node("Relu", ["x"], ["y"])],
    "a bias by channel": [helper.make_node("Add", ["x", "channel"], ["y"])],
    "a number": [helper.make_node("Mul", ["two", "x"], ["y"])],
    "itself": [helper.make_node("Mul", ["x", "x"], ["y"])],
    "concat": [helper.make_node("Concat", ["x", "x"], ["y"], axis=-1)],
    "mean": [helper.make_node("ReduceMean", ["x", "hw"], ["y"], keepdims=0)],
    "mean, kept": [helper.make_node("ReduceMean", ["x", "w"], ["y"], keepdims=1)],
    "pad": [helper.make_node("Pad", ["x", "pads"], ["y"])],
    "slice": [helper.make_node("Slice", ["x", "start", "stop", "w"], ["y"])],
    "softmax": [helper.make_node("Softmax", ["x"], ["y"])],
    "split": [helper.make_node("Split", ["x", "halves"], ["a", "y"], axis=3)],
    "argmax": [helper.make_node("ArgMax", ["x"], ["y"], axis=3, keepdims=0)],
    "an axis more": [helper.make_node("Unsqueeze", ["x", "start"], ["y"])],
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_computed_stays(case: str, save_model: Save, rng: np.random.Generator) -> None:
    kind = TensorProto.INT64 if case == "argmax" else TensorProto.FLOAT
    rank = {"mean": 2, "argmax": 3, "an axis more": 5}.get(case, 4)
    path = save_model(
        between(CASES[case]),
        [("image", TensorProto.FLOAT, ["batch", 4, 5, 3])],
        [("y", kind, [f"d{i}" for i in range(rank)])],
        CONSTANTS,
    )
    found, result = moved(path)
    x = rng.standard_normal((2, 4, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(run(result, x)[0], run(path, x)[0], rtol=1e-6)
    assert found["Transpose"] <= 2


def test_those_that_undo_one_another_go(save_model: Save, rng: np.random.Generator) -> None:
    nodes = between(
        [
            helper.make_node("Relu", ["x"], ["r"]),
            helper.make_node("Transpose", ["r"], ["again"], perm=FIRST),
            helper.make_node("MaxPool", ["again"], ["p"], kernel_shape=[2, 2]),
            helper.make_node("Transpose", ["p"], ["q"], perm=LAST),
            helper.make_node("ReduceMean", ["q", "hw"], ["y"], keepdims=0),
        ]
    )
    path = save_model(
        nodes,
        [("image", TensorProto.FLOAT, ["batch", 4, 5, 3])],
        [("y", TensorProto.FLOAT, ["batch", 3])],
        CONSTANTS,
    )
    found, result = moved(path)
    x = rng.standard_normal((2, 4, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(run(result, x)[0], run(path, x)[0], rtol=1e-6)
    assert found["Transpose"] == 1


def test_rows_of_a_dense_layer_change_places_instead(
    save_model: Save, rng: np.random.Generator
) -> None:
    nodes = between(
        [
            helper.make_node("Reshape", ["x", "flat"], ["f"]),
            helper.make_node("MatMul", ["f", "weight"], ["y"]),
        ]
    )
    constants = {
        "flat": np.array([-1, 60], np.int64),
        "weight": rng.standard_normal((60, 2)).astype(np.float32),
    }
    path = save_model(
        nodes,
        [("image", TensorProto.FLOAT, ["batch", 4, 5, 3])],
        [("y", TensorProto.FLOAT, ["batch", 2])],
        constants,
    )
    found, result = moved(path)
    x = rng.standard_normal((2, 4, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(run(result, x)[0], run(path, x)[0], rtol=1e-5, atol=1e-6)
    assert found["Transpose"] == 1


def test_moving_axes_of_size_one_is_a_reshape(save_model: Save, rng: np.random.Generator) -> None:
    path = save_model(
        [helper.make_node("Transpose", ["image"], ["y"], perm=FIRST)],
        [("image", TensorProto.FLOAT, ["batch", 4, 5, 1])],
        [("y", TensorProto.FLOAT, ["batch", 1, 4, 5])],
    )
    found, result = moved(path)
    x = rng.standard_normal((2, 4, 5, 1)).astype(np.float32)
    np.testing.assert_array_equal(run(result, x)[0], run(path, x)[0])
    assert found == {"Reshape": 1}
