"""Loops written out, shapes made constants, biases taken into dense layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.converters.dense import fuse_biases
from edgeopt.converters.loops import write_out_loops
from edgeopt.converters.shapes import constant_shapes
from edgeopt.core.ir import ir, passes

Save = Callable[..., Path]


@pytest.fixture
def loop(save_model: Save) -> Callable[[int, int], Path]:
    """``total += i`` while ``i < bound``, at most ``limit`` times; each total is an output row."""

    def save(limit: int, bound: int) -> Path:
        body = helper.make_graph(
            [
                helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
                helper.make_node("Add", ["total", "f"], ["next"]),
                helper.make_node("Add", ["i", "one"], ["following"]),
                helper.make_node("Less", ["following", "bound"], ["more"]),
                helper.make_node("Identity", ["next"], ["row"]),
            ],
            "body",
            [
                helper.make_tensor_value_info("i", TensorProto.INT64, []),
                helper.make_tensor_value_info("going", TensorProto.BOOL, []),
                helper.make_tensor_value_info("total", TensorProto.FLOAT, [2]),
            ],
            [
                helper.make_tensor_value_info("more", TensorProto.BOOL, []),
                helper.make_tensor_value_info("next", TensorProto.FLOAT, [2]),
                helper.make_tensor_value_info("row", TensorProto.FLOAT, [2]),
            ],
            [
                numpy_helper.from_array(np.array(1, np.int64), "one"),
                numpy_helper.from_array(np.array(bound, np.int64), "bound"),
            ],
        )
        return save_model(
            [helper.make_node("Loop", ["limit", "start", "x"], ["y", "rows"], "loop", body=body)],
            [("x", TensorProto.FLOAT, [2])],
            [("y", TensorProto.FLOAT, [2]), ("rows", TensorProto.FLOAT, ["n", 2])],
            {"limit": np.array(limit, np.int64), "start": np.array(True)},
        )

    return save


@pytest.mark.parametrize(("limit", "bound"), [(5, 100), (9, 4)])
def test_a_loop_of_a_known_number_of_steps_is_written_out(
    loop: Callable[[int, int], Path], limit: int, bound: int
) -> None:
    path = loop(limit, bound)
    model = ir.load(path)
    assert write_out_loops(model)
    passes.RemoveUnusedNodesPass()(model)
    assert "Loop" not in {node.op_type for node in model.graph}
    ir.save(model, path.with_name("steps.onnx"))
    x = np.array([1, 2], np.float32)
    expected = onnxruntime.InferenceSession(path).run(None, {"x": x})
    got = onnxruntime.InferenceSession(path.with_name("steps.onnx")).run(None, {"x": x})
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_very_long_loop_stays(loop: Callable[[int, int], Path]) -> None:
    model = ir.load(loop(5000, 4000))
    assert not write_out_loops(model)
    assert [node.op_type for node in model.graph] == ["Loop"]


def test_a_shape_gathered_from_the_batch_is_a_constant(save_model: Save) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one", "zero"], ["batch"]),
        helper.make_node("Concat", ["batch", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    path = save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["batch", 4, 6])],
        [("y", TensorProto.FLOAT, ["batch", 3, 8])],
        {
            "zero": np.array([0], np.int64),
            "one": np.array([1], np.int64),
            "rest": np.array([3, 8], np.int64),
        },
    )
    model = ir.load(path)
    constant_shapes(model)
    (node,) = model.graph
    target = node.inputs[1]
    assert target is not None
    assert target.const_value is not None
    assert target.const_value.numpy().tolist() == [-1, 3, 8]


def test_the_bias_of_a_dense_layer_is_part_of_it(
    save_model: Save, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["p"], "product"),
            helper.make_node("Add", ["b", "p"], ["y"], "bias"),
        ],
        [("x", TensorProto.FLOAT, ["batch", 4])],
        [("y", TensorProto.FLOAT, ["batch", 3])],
        {
            "w": rng.standard_normal((4, 3)).astype(np.float32),
            "b": rng.standard_normal(3).astype(np.float32),
        },
    )
    model = ir.load(path)
    fuse_biases(model.graph)
    ir.save(model, path.with_name("fused.onnx"))
    assert Counter(n.op_type for n in onnx.load(path.with_name("fused.onnx")).graph.node) == {
        "Gemm": 1
    }
    x = rng.standard_normal((2, 4)).astype(np.float32)
    expected = onnxruntime.InferenceSession(path).run(None, {"x": x})[0]
    got = onnxruntime.InferenceSession(path.with_name("fused.onnx")).run(None, {"x": x})[0]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
