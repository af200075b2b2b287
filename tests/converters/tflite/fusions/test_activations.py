"""GELU and HardSwish as exporters spell them become one operator, and give the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]

NUMBERS = {
    "half": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "six": 6.0, "sixth": 1 / 6, "zero": 0.0,
    "root": math.sqrt(2), "unroot": 1 / math.sqrt(2), "cubic": 0.044715,
    "tanh_scale": math.sqrt(2 / math.pi),
}  # fmt: skip

_ERF = [("Div", "x root", "d"), ("Erf", "d", "e"), ("Add", "e one", "p")]
SPELLINGS = {
    "gelu, half last": ("GELU", [*_ERF, ("Mul", "x p", "m"), ("Mul", "m half", "y")]),
    "gelu, half first": ("GELU", [*_ERF, ("Mul", "half p", "m"), ("Mul", "m x", "y")]),
    "gelu, x halved": ("GELU", [*_ERF, ("Mul", "x half", "h"), ("Mul", "h p", "y")]),
    "gelu, by a product": (
        "GELU",
        [("Mul", "x unroot", "d"), *_ERF[1:], ("Mul", "x p", "m"), ("Mul", "m half", "y")],
    ),
    "gelu by tanh": (
        "GELU",
        [
            ("Pow", "x three", "c"), ("Mul", "cubic c", "k"), ("Add", "x k", "s"),
            ("Mul", "s tanh_scale", "t"), ("Tanh", "t", "h"), ("Add", "h one", "p"),
            ("Mul", "x p", "m"), ("Mul", "m half", "y"),
        ],
    ),
    "hard swish, divided": (
        "HARD_SWISH",
        [
            ("Add", "x three", "a"), ("Clip", "a zero six", "c"), ("Mul", "x c", "m"),
            ("Div", "m six", "y"),
        ],
    ),
    "hard swish, gate first": (
        "HARD_SWISH",
        [
            ("Add", "x three", "a"), ("Clip", "a zero six", "c"), ("Mul", "c sixth", "g"),
            ("Mul", "g x", "y"),
        ],
    ),
    "hard swish, by its sigmoid": (
        "HARD_SWISH",
        [("HardSigmoid", "x", "g"), ("Mul", "x g", "y")],
    ),
}  # fmt: skip

OTHERS = {
    "another divisor": [("Div", "x two", "d"), *_ERF[1:], ("Mul", "x p", "m"),
                        ("Mul", "m half", "y")],
    "another factor": [*_ERF, ("Mul", "x p", "m"), ("Mul", "m two", "y")],
    "another gate": [("Add", "x two", "a"), ("Clip", "a zero six", "c"), ("Mul", "x c", "m"),
                     ("Div", "m six", "y")],
    "a gate of something else": [("Neg", "x", "n"), ("HardSigmoid", "n", "g"), ("Mul", "x g", "y")],
}  # fmt: skip


def spelled(save_model: Save, steps: list[Any]) -> Path:
    nodes = []
    for op, inputs, output in steps:
        given = {"alpha": 1 / 6, "beta": 0.5} if op == "HardSigmoid" else {}
        nodes.append(helper.make_node(op, inputs.split(), [output], f"make_{output}", **given))
    ends = [("x", TensorProto.FLOAT, ["n", 9])], [("y", TensorProto.FLOAT, ["n", 9])]
    read = {name for _, inputs, _ in steps for name in inputs.split()}
    constants = {name: np.float32(value) for name, value in NUMBERS.items() if name in read}
    return save_model(nodes, *ends, constants)


def codes(path: Path) -> list[str]:
    return [op.code for op in compile_model(ir.load(path)).operators]


POINTS = {"x": np.linspace(-6, 6, 9, dtype=np.float32).reshape(1, 9)}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_becomes_one_operator(save_model: Save, both: Both, spelling: str) -> None:
    code, steps = SPELLINGS[spelling]
    path = spelled(save_model, steps)
    assert codes(path) == [code]
    expected, found = both(path, POINTS)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_only_looks_alike_stays_what_it_is(save_model: Save, both: Both, kind: str) -> None:
    path = spelled(save_model, OTHERS[kind])
    assert not {"GELU", "HARD_SWISH"} & set(codes(path))
    expected, found = both(path, POINTS)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-6)


def test_a_part_that_something_else_reads_is_kept(save_model: Save, both: Both) -> None:
    _, steps = SPELLINGS["gelu, half last"]
    path = spelled(save_model, [*steps[:-1], ("Mul", "m half", "g"), ("Add", "g e", "y")])
    assert "GELU" not in codes(path)
    expected, found = both(path, POINTS)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-6)
