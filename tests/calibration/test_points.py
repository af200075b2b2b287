"""Which tensors a graph's inputs become first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgeopt.calibration.points import first_points, observation_points
from edgeopt.core.ir import ir


def graph(path: Path) -> ir.Graph:
    onnx.save(onnx.shape_inference.infer_shapes(onnx.load(path)), path)
    return ir.load(path).graph


def test_an_input_that_is_observed_is_the_first(conv_net: Path) -> None:
    model = graph(conv_net)
    assert first_points(model, observation_points(model)) == ("image",)


def test_what_comes_before_the_first_and_what_comes_after(save_model: Callable[..., Path]) -> None:
    # `a` is normalized; `b` is added to what was made of it, and meets a product of its own.
    nodes = [
        helper.make_node("Sub", ["a", "c"], ["n"]),
        helper.make_node("MatMul", ["n", "w"], ["one"]),
        helper.make_node("Exp", ["b"], ["e"]),
        helper.make_node("Mul", ["one", "e"], ["both"]),
        helper.make_node("Sqrt", ["both"], ["root"]),
        helper.make_node("MatMul", ["root", "w"], ["out"]),
    ]
    path = save_model(
        nodes,
        [("a", TensorProto.FLOAT, [1, 4]), ("b", TensorProto.FLOAT, [1, 4])],
        [("out", TensorProto.FLOAT, [1, 4])],
        {"c": np.ones(4, np.float32), "w": np.eye(4, dtype=np.float32)},
    )
    assert first_points(graph(path), observation_points(graph(path))) == ("n", "e")
