"""LiteRT's built-in kernels compute some operators in their input's memory: not what is read again.

The nets are such that the second reading comes later in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.core.ir import ir
from edgeopt.core.layout import Layout
from edgeopt.core.litert import open_litert

Save = Callable[..., Path]
CONSTANTS = {
    "two": np.full((1, 4, 8), 2, np.float32),
    "five": np.full((4, 8), 5, np.float32),
    "flat": np.array([4, 8]),
    "whole": np.array([1, 4, 8]),
    "halves": np.array([2, 16]),
}


def node(op: str, inputs: str, output: str) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], f"node_{output}")


def residual(root: list[NodeProto], change: NodeProto) -> list[NodeProto]:
    """``r`` reshaped, changed, and then multiplied by what it was."""
    return [
        *root,
        node("Reshape", "r flat", "a"),
        change,
        node("Tanh", "s", "t"),
        node("Reshape", "t whole", "u"),
        node("Mul", "r u", "y"),
    ]


SUM = [node("Mul", "x two", "p"), node("Add", "p two", "r")]
CHAIN = [
    node("Tanh", "x", "r"),
    node("Reshape", "r flat", "a"),
    node("Exp", "a", "e"),
    node("Reshape", "a halves", "b"),
    node("Softmax", "b", "s"),
    node("Reshape", "s flat", "t"),
    node("Mul", "a e", "m"),
    node("Add", "m t", "y"),
]
NETS = {
    "a sum": residual(SUM, node("Sub", "a five", "s")),
    "from the right": residual(SUM, node("Sub", "five a", "s")),
    "a softmax": residual(SUM, node("Softmax", "a", "s")),
    "after a softmax": residual(
        [node("Tanh", "x", "p"), node("Softmax", "p", "r")], node("Mul", "a five", "s")
    ),
    "reshaped twice": CHAIN,
    "an activation": residual([node("Tanh", "x", "r")], node("Sub", "a five", "s")),
    "nothing in place": residual(SUM, node("Exp", "a", "s")),
}


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_the_builtin_kernels_give_what_the_model_does(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, net: list[NodeProto]
) -> None:
    used = {name for n in net for name in n.input}
    path = save_model(
        net,
        [("x", TensorProto.FLOAT, [1, 4, 8])],
        [("y", TensorProto.FLOAT, None)],
        {name: array for name, array in CONSTANTS.items() if name in used},
    )
    (tmp_path / "net.tflite").write_bytes(to_flatbuffer(compile_model(ir.load(path))))
    model = open_litert(tmp_path / "net.tflite", layout=Layout.NCHW, xnnpack=False)
    x = rng.standard_normal((1, 4, 8)).astype(np.float32)
    (found,) = model.run({"x": x}, "here")
    (expected,) = ort.InferenceSession(str(path)).run(None, {"x": x})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "added"), [("a sum", 1), ("an activation", 0), ("nothing in place", 0)]
)
def test_an_operator_is_added_only_where_it_is_needed(
    save_model: Save, name: str, added: int
) -> None:
    used = {i for n in NETS[name] for i in n.input}
    path = save_model(
        NETS[name],
        [("x", TensorProto.FLOAT, [1, 4, 8])],
        [("y", TensorProto.FLOAT, None)],
        {key: array for key, array in CONSTANTS.items() if key in used},
    )
    operators = compile_model(ir.load(path)).operators
    assert sum(op.output.name.endswith("_spared") for op in operators) == added
