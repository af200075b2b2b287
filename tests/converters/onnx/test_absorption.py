"""What takes factors in: scaled there, a tensor's channels are, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.onnx.absorption import absorption
from edgeopt.core.ir import ir

Save = Callable[..., Path]

Nodes = list[tuple[str, list[str], dict[str, Any]]]

CHAINS: dict[str, Nodes] = {
    "a norm": [("LayerNormalization", ["x", "v", "b"], {})],
    "a product": [("MatMul", ["x", "w"], {})],
    "a Gemm and its bias": [("Gemm", ["x", "w", "b"], {})],
    "a transposed Gemm": [("Gemm", ["x", "w", "b"], {"transB": 1})],
    "a product, its bias, a Relu": [
        ("MatMul", ["x", "w"], {}),
        ("Add", ["b", "h0"], {}),
        ("Relu", ["h1"], {}),
    ],
    "a leaky Relu": [("MatMul", ["x", "w"], {}), ("LeakyRelu", ["h0"], {"alpha": 0.1})],
    "a factor of a Mul": [("Sigmoid", ["x"], {}), ("Mul", ["h0", "v"], {})],
    "one of two activations": [
        ("MatMul", ["x", "w"], {}),
        ("Sigmoid", ["x"], {}),
        ("Mul", ["h1", "h0"], {}),
    ],
    "both terms": [
        ("MatMul", ["x", "w"], {}),
        ("MatMul", ["x", "v2"], {}),
        ("Sub", ["h0", "h1"], {}),
    ],
}

REFUSED: dict[str, Nodes] = {
    "nothing before it": [("Sigmoid", ["x"], {})],
    "a Gelu": [("MatMul", ["x", "w"], {}), ("Tanh", ["h0"], {})],
    "only one term": [("MatMul", ["x", "w"], {}), ("Add", ["h0", "x"], {})],
}


def graph_of(save_model: Save, rng: np.random.Generator, nodes: Nodes) -> ir.Model:
    """A chain whose last value a product reads."""
    made = [
        helper.make_node(op, inputs, [f"h{i}"], f"n{i}", **more)
        for i, (op, inputs, more) in enumerate(nodes)
    ]
    last = f"h{len(nodes) - 1}"
    made.append(helper.make_node("MatMul", [last, "head"], ["y"], "reader"))
    path = save_model(
        made,
        [("x", TensorProto.FLOAT, [4, 8])],
        [("y", TensorProto.FLOAT, [4, 3])],
        {
            **{n: rng.standard_normal((8, 8)).astype(np.float32) for n in ("w", "v2")},
            **{n: rng.standard_normal(8).astype(np.float32) for n in ("v", "b")},
            "head": rng.standard_normal((8, 3)).astype(np.float32),
        },
    )
    model: ir.Model = ir.from_proto(onnx.shape_inference.infer_shapes(onnx.load(path)))
    return model


def value_of(model: ir.Model, name: str, x: np.ndarray) -> np.ndarray:
    proto = ir.to_proto(model)
    proto.graph.output.append(onnx.ValueInfoProto(name=name))
    return np.asarray(ort.InferenceSession(proto.SerializeToString()).run([name], {"x": x})[0])


@pytest.mark.parametrize("nodes", CHAINS.values(), ids=CHAINS)
def test_scaling_the_constants_scales_the_channels(
    save_model: Save, rng: np.random.Generator, nodes: Nodes
) -> None:
    model = graph_of(save_model, rng, nodes)
    reader = model.graph.node("reader")
    value = reader.inputs[0]
    assert value is not None
    x = rng.standard_normal((4, 8)).astype(np.float32)
    before = value_of(model, value.name or "", x)
    found = absorption(value, {(reader, 0)})
    assert found is not None
    assert found.values[-1] is value
    factors = 2.0 ** rng.integers(-4, 5, 8)  # exact in float32
    for place in found.places:
        constant = place.node.inputs[place.index]
        assert constant is not None
        assert constant.const_value is not None
        array = constant.const_value.numpy()
        shape = [1] * array.ndim
        shape[place.axis] = -1
        scaled = (array * factors.reshape(shape)).astype(np.float32)
        constant.const_value = ir.tensor(scaled, name=constant.name)
    after = value_of(model, value.name or "", x)
    np.testing.assert_allclose(after, before * factors, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("nodes", REFUSED.values(), ids=REFUSED)
def test_what_does_not_commute_is_refused(
    save_model: Save, rng: np.random.Generator, nodes: Nodes
) -> None:
    reader = graph_of(save_model, rng, nodes).graph.node("reader")
    assert reader.inputs[0] is not None
    assert absorption(reader.inputs[0], {(reader, 0)}) is None


def test_another_reader_is_in_the_way(save_model: Save, rng: np.random.Generator) -> None:
    model = graph_of(save_model, rng, CHAINS["a norm"])
    reader = model.graph.node("reader")
    value = reader.inputs[0]
    assert value is not None
    model.graph.append(ir.node("Relu", [value]))
    assert absorption(value, {(reader, 0)}) is None
