"""Ifs that are decided before the model runs: the branch stays, the choice is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from edgeopt.converters.simplify import simplify

Save = Callable[..., Path]


def branch(nodes: list[Any], output: str) -> onnx.GraphProto:
    """A branch: it takes nothing but what it finds outside."""
    return helper.make_graph(nodes, output, [], [helper.make_empty_tensor_value_info(output)])


def choice(condition: str, output: str, *, then: list[Any], other: list[Any]) -> onnx.NodeProto:
    """An If of two branches, each giving what its last node gives."""
    return helper.make_node(
        "If", [condition], [output], f"choose_{output}",
        then_branch=branch(then, then[-1].output[0]),
        else_branch=branch(other, other[-1].output[0]),
    )  # fmt: skip


def has_one_row(of: str, prefix: str) -> list[onnx.NodeProto]:
    """Whether a value's first axis has size 1, as exporters ask it."""
    return [
        helper.make_node("Shape", [of], [f"{prefix}_shape"]),
        helper.make_node("Gather", [f"{prefix}_shape", "zero"], [f"{prefix}_rows"]),
        helper.make_node("Equal", [f"{prefix}_rows", "one"], [prefix]),
    ]


CONSTANTS = {"zero": np.array(0), "one": np.array(1), "yes": np.array(True)}


@pytest.fixture
def nested(save_model: Save) -> Callable[[Any], Path]:
    """A choice in a choice in a choice; the innermost reads what the outermost computes."""

    def make(rows: int | str) -> Path:
        innermost = choice(
            "is_one", "chosen",
            then=[helper.make_node("Identity", ["picked"], ["same"])],
            other=[helper.make_node("Neg", ["picked"], ["same"])],
        )  # fmt: skip
        middle = choice(
            "whole", "middle",
            then=[*has_one_row("picked", "is_one"), innermost,
                  helper.make_node("Relu", ["chosen"], ["result"])],
            other=[helper.make_node("Abs", ["picked"], ["result"])],
        )  # fmt: skip
        outermost = choice(
            "yes", "y",
            then=[helper.make_node("Sin", ["x"], ["picked"]), *has_one_row("picked", "whole"),
                  middle, helper.make_node("Exp", ["middle"], ["out"])],
            other=[helper.make_node("Identity", ["x"], ["out"])],
        )  # fmt: skip
        ends = [("x", TensorProto.FLOAT, [rows, 4])], [("y", TensorProto.FLOAT, [rows, 4])]
        return save_model([outermost], *ends, CONSTANTS)

    return make


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize(
    ("rows", "left"), [(1, ["Sin", "Relu", "Exp"]), (2, ["Sin", "Abs", "Exp"])]
)
def test_choices_that_a_shape_decides_are_made(
    rows: int, left: list[str], nested: Callable[[Any], Path], tmp_path: Path,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    path = nested(rows)
    x = {"x": rng.standard_normal((rows, 4)).astype(np.float32)}
    (before,) = ReferenceEvaluator(onnx.load(path)).run(None, x)
    graph = simplify(path, tmp_path / "float.onnx", "net")
    assert operators(graph.path) == left
    (after,) = ort.InferenceSession(str(graph.path)).run(None, x)
    np.testing.assert_allclose(after, before, rtol=1e-5)


def test_choices_that_the_input_decides_stay(
    nested: Callable[[Any], Path], tmp_path: Path, rng: np.random.Generator
) -> None:
    path = nested("batch")
    graph = simplify(path, tmp_path / "float.onnx", "net")
    assert operators(graph.path).count("If") == 1
    session = ort.InferenceSession(str(graph.path))
    for rows in (1, 3):
        x = {"x": rng.standard_normal((rows, 4)).astype(np.float32)}
        (before,) = ReferenceEvaluator(onnx.load(path)).run(None, x)
        np.testing.assert_allclose(session.run(None, x)[0], before, rtol=1e-5)


def test_constants_are_folded_beside_choices_that_stay(save_model: Save, tmp_path: Path) -> None:
    path = save_model(
        [
            helper.make_node("Transpose", ["w"], ["turned"]),
            helper.make_node("MatMul", ["x", "turned"], ["product"]),
            helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
            helper.make_node("Greater", ["most", "limit"], ["high"]),
            choice(
                "high", "y",
                then=[helper.make_node("Relu", ["product"], ["a"])],
                other=[helper.make_node("Neg", ["product"], ["b"])],
            ),
        ],
        [("x", TensorProto.FLOAT, ["batch", 3])],
        [("y", TensorProto.FLOAT, ["batch", 2])],
        {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "limit": np.float32(1)},
    )  # fmt: skip
    graph = simplify(path, tmp_path / "float.onnx", "net")
    assert "Transpose" not in operators(graph.path)


def test_branches_may_use_the_same_names_and_pass_values_through(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            choice(
                "yes", "first",
                then=[helper.make_node("Relu", ["x"], ["t"])],
                other=[helper.make_node("Neg", ["x"], ["t"])],
            ),
            choice(
                "no", "second",
                then=[helper.make_node("Relu", ["x"], ["t"])],
                other=[
                    helper.make_node("Neg", ["x"], ["t"]), helper.make_node("Exp", ["t"], ["u"]),
                ],
            ),
            helper.make_node("Add", ["first", "second"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, [2, 3])],
        [("y", TensorProto.FLOAT, [2, 3]), ("second", TensorProto.FLOAT, [2, 3])],
        {"yes": np.array(True), "no": np.array(False)},
    )  # fmt: skip
    x = rng.standard_normal((2, 3)).astype(np.float32)
    graph = simplify(path, tmp_path / "float.onnx", "net")
    y, second = ort.InferenceSession(str(graph.path)).run(["y", "second"], {"x": x})
    np.testing.assert_allclose(second, np.exp(-x), rtol=1e-5)
    np.testing.assert_allclose(y, np.maximum(x, 0) + np.exp(-x), rtol=1e-5)
