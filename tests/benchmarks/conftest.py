"""Real, small ONNX models, and the measurements of them that several tests look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

ModelMaker = Callable[..., Path]


def _classifier(layers: int, channels: int, classes: int, batch: int | str) -> Any:
    rng = np.random.default_rng(0)
    nodes, weights, last, width = [], [], "image", 1
    for n in range(layers):
        kernel = rng.standard_normal((channels, width, 3, 3)).astype(np.float32) / channels
        weights.append(numpy_helper.from_array(kernel, f"kernel{n}"))
        nodes.append(helper.make_node("Conv", [last, f"kernel{n}"], [f"conv{n}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"conv{n}"], [f"relu{n}"]))
        last, width = f"relu{n}", channels
    dense = rng.standard_normal((channels, classes)).astype(np.float32)
    weights.append(numpy_helper.from_array(dense, "dense"))
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["scores"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 1, 16, 16])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, classes])
    return helper.make_graph(nodes, "classifier", [image], [scores], weights)


@pytest.fixture
def save_graph(tmp_path: Path) -> ModelMaker:
    """``save_graph(graph, name)`` writes a graph as a model file."""

    def save(graph: Any, name: str = "model.onnx", opset: int = 17) -> Path:
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
        )
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return save


@pytest.fixture
def make_model(save_graph: ModelMaker) -> ModelMaker:
    """``make_model(name, layers=, channels=, classes=, batch=)`` writes a small classifier."""

    def make(
        name: str = "model.onnx",
        layers: int = 2,
        channels: int = 8,
        classes: int = 10,
        batch: int | str = "N",
    ) -> Path:
        return save_graph(_classifier(layers, channels, classes, batch), name)

    return make


@pytest.fixture
def custom_op(save_graph: ModelMaker) -> Path:
    """A model with an operator that no runtime has."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in "xy"]
    node = helper.make_node("Unheard", ["x"], ["y"], domain="nowhere.example")
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("nowhere.example", 1)],
        ir_version=8,
    )
    path = save_graph(graph, "custom.onnx")
    onnx.save(model, path)
    return path
