"""A constant behind a product is part of its bias, where it is one number or one a channel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
IMAGE = [1, 8, 6, 6]


def node(op: str, inputs: str, output: str, **attributes: int) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], f"node_{output}", **attributes)


def constants(rng: np.random.Generator) -> dict[str, np.ndarray]:
    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    return {
        "full": normal(8, 8, 1, 1),
        "deep": normal(8, 1, 3, 3),
        "bias": normal(8),
        "three": np.array(3, np.float32),
        "zero": np.array(0, np.float32),
        "six": np.array(6, np.float32),
        "sixth": np.array(1 / 6, np.float32),
        "channel": normal(1, 8, 1, 1),
        "pixel": normal(1, 1, 1, 4),
    }


GATE = [
    node("Add", "c three", "a"),
    node("Clip", "a zero six", "b"),
    node("Mul", "b sixth", "y"),
]
NETS = {
    "a gate": ([node("Conv", "x full bias", "c"), *GATE], ["CONV_2D", "MUL"]),
    "depthwise": (
        [node("Conv", "x deep bias", "c", group=8), *GATE], ["DEPTHWISE_CONV_2D", "MUL"],
    ),
    "a channel, no bias": (
        [node("Conv", "x full", "c"), node("Add", "channel c", "y")], ["CONV_2D"],
    ),
    "a pixel": (
        [node("Conv", "x deep bias", "c", group=8), node("Add", "c pixel", "y")],
        ["DEPTHWISE_CONV_2D", "ADD"],
    ),
    "behind an activation": (
        [node("Conv", "x full bias", "c"), node("Relu", "c", "r"), node("Add", "r three", "y")],
        ["CONV_2D", "ADD"],
    ),
    "read twice": (
        [node("Conv", "x full bias", "c"), node("Add", "c three", "a"), node("Mul", "a c", "y")],
        ["CONV_2D", "ADD", "MUL"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "expected"), NETS.values(), ids=NETS)
def test_a_constant_joins_the_bias(
    save_model: Save, both: Both, rng: np.random.Generator,
    nodes: list[NodeProto], expected: list[str],
) -> None:  # fmt: skip
    used = {name for each in nodes for name in each.input}
    known = {name: array for name, array in constants(rng).items() if name in used}
    path = save_model(
        nodes, [("x", TensorProto.FLOAT, IMAGE)], [("y", TensorProto.FLOAT, None)], known
    )
    made = [op.code for op in compile_model(ir.load(path), channels_last=True).operators]
    assert [code for code in made if code != "TRANSPOSE"] == expected
    inputs = {"x": rng.standard_normal(IMAGE).astype(np.float32)}
    (right,), (found,) = both(path, inputs)
    np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)
