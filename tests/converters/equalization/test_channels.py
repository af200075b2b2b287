"""Which channels can be scaled, and which are fixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.equalization.commuting import map_channels
from edgeopt.core.ir import ir
from tests.converters.equalization.nets import (
    Net,
    image,
    outputs,
    spoil,
)


def free_after(net: Net, path: Path) -> int:
    """How many numbers are free in the net."""
    return map_channels(ir.load(net.save(path)).graph).count - 1


def middle(*, op: str = "", **attributes: object) -> Net:
    """Conv(8), an operator, Conv(4): as many free channels as the operator lets pass."""
    net = Net(np.random.default_rng(0))
    net.conv(8)
    if op:
        net.add(op, **attributes)
    return net


@pytest.mark.parametrize(
    ("op", "free"),
    [("", 8), ("Relu", 8), ("Neg", 0), ("HardSwish", 0), ("Sigmoid", 0), ("Softplus", 0)],
)
def test_operators_on_the_way(tmp_path: Path, op: str, free: int) -> None:
    net = middle(op=op)
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == free


@pytest.mark.parametrize(
    ("low", "high", "free"), [(0, np.inf, 8), (-np.inf, 0, 8), (0, 6, 0), (-1, np.inf, 0)]
)
def test_clamps(tmp_path: Path, low: float, high: float, free: int) -> None:
    net = middle()
    net.clip(low, high)
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == free


def test_an_output_is_fixed(tmp_path: Path) -> None:
    net = middle(op="Relu")
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_weights_that_two_nodes_share_are_left_alone(tmp_path: Path) -> None:
    net = middle(op="Relu")
    weight = net.constant(8, 8, 3, 3)
    for _ in range(2):
        net.add("Conv", weight, pads=[1] * 4)
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_a_bias_that_two_nodes_share_is_left_alone(tmp_path: Path) -> None:
    net = Net(np.random.default_rng(0))
    bias = net.constant(8)
    for width in (3, 8, 8):
        net.add("Conv", net.constant(8, width, 3, 3), bias, pads=[1] * 4)
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_an_add_with_the_input_is_left_alone(tmp_path: Path) -> None:
    net = Net(np.random.default_rng(0))
    net.conv(3)
    net.add("Add", "image")
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_the_sides_of_an_add_share_their_scales(tmp_path: Path) -> None:
    net = middle()
    net.residual()  # eight of its own inside
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 16


def test_an_add_that_broadcasts_channels_is_left_alone(tmp_path: Path) -> None:
    net = Net(np.random.default_rng(0))
    net.conv(1)
    net.add("Add", net.constant(8, 1, 1))
    net.channels = 8
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 0


@pytest.mark.parametrize(("mode", "free"), [("nearest", 8), ("linear", 8)])
def test_resizing(tmp_path: Path, mode: str, free: int) -> None:
    net = middle(op="Relu")
    scales = net.given("scales", np.array([1, 1, 2, 2], np.float32))
    net.nodes.append(helper.make_node("Resize", [net.value, "", scales], ["big"], mode=mode))
    net.value = "big"
    net.conv(4)
    path = tmp_path / "net.onnx"
    assert free_after(net, path) == free
    model = ir.load(path)
    spoil(model, 0)
    for one, two in zip(outputs(path, image()), outputs(model, image()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_channels_may_change_places(tmp_path: Path) -> None:
    net = middle(op="Relu")
    net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("MatMul", net.constant(8, 6))
    net.add("Add", net.constant(6))
    net.add("Relu")
    net.add("MatMul", net.constant(6, 5))
    path = tmp_path / "net.onnx"
    assert free_after(net, path) == 14
    model = ir.load(path)
    spoil(model, 0)
    for one, two in zip(outputs(path, image()), outputs(model, image()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_body_of_control_flow_fixes_what_it_uses(tmp_path: Path) -> None:
    net = middle(op="Relu")
    inside = net.value
    body = [
        helper.make_graph(
            [helper.make_node("Neg", [inside], [f"b{i}"])], f"body{i}", [],
            [helper.make_tensor_value_info(f"b{i}", TensorProto.FLOAT, None)],
        )
        for i in range(2)
    ]  # fmt: skip
    net.conv(4)
    last = net.value
    condition = net.given("condition", np.array(True))
    net.nodes.append(
        helper.make_node("If", [condition], ["other"], then_branch=body[0], else_branch=body[1])
    )
    net.nodes.append(helper.make_node("ReduceMean", ["other"], ["mean"]))
    net.nodes.append(helper.make_node("Add", [last, "mean"], ["sum"]))
    net.value = "sum"
    assert free_after(net, tmp_path / "net.onnx") == 0
