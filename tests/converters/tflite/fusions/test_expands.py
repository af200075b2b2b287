"""Expands that the next operator does by broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]


def codes(path: Path) -> list[str]:
    return [op.code for op in compile_model(ir.load(path)).operators]


def normalized(save_model: Save, *, also: str | None = None) -> Path:
    nodes = [
        helper.make_node("ReduceL2", ["x", "axes"], ["norm"], keepdims=1),
        helper.make_node("Expand", ["norm", "shape"], ["wide"]),
        helper.make_node("Div", ["x", "wide"], ["y"]),
    ]
    outputs = [("y", TensorProto.FLOAT, [2, 8])]
    if also:
        nodes.append(helper.make_node(also, ["wide"], ["z"]))
        outputs.append(("z", TensorProto.FLOAT, [2, 8]))
    constants = {"axes": np.array([1]), "shape": np.array([2, 8])}
    path = save_model(nodes, [("x", TensorProto.FLOAT, [2, 8])], outputs, constants)
    import onnx

    onnx.save(onnx.shape_inference.infer_shapes(onnx.load(path)), path)
    return path


def test_a_division_by_a_norm_needs_none(
    save_model: Save,
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
) -> None:
    path = normalized(save_model)
    (expected,), (found,) = both(path, {"x": rng.standard_normal((2, 8), np.float32)})
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert codes(path)[-1] == "DIV"
    assert not {"TILE", "BROADCAST_TO", "ADD"} & set(codes(path))


def test_what_something_else_reads_is_expanded(
    save_model: Save,
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
) -> None:
    path = normalized(save_model, also="Neg")
    expected, found = both(path, {"x": rng.standard_normal((2, 8), np.float32)})
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6)
