"""The rules for quantized graphs, each held against TensorRT's own parser and builder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgeopt.converters.tensorrt.building import Built, ask_support
from edgeopt.converters.tensorrt.delivery import RTX, Builder
from edgeopt.converters.tensorrt.device.layers import arithmetic, layer_of
from edgeopt.converters.tensorrt.lint import Effect, check_rules, lint
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

Build = Callable[..., Built]
Model = Callable[..., Path]

ZERO, STEP = np.int8(0), np.float32(0.05)
Form = tuple[list[NodeProto], dict[str, Any]]

WEIGHTS = np.random.default_rng(0).integers(-127, 128, (16, 8, 3, 3)).astype(np.int8)
MATRIX = np.random.default_rng(1).integers(-127, 128, (32, 16)).astype(np.int8)


def pair(
    source: str, result: str, zero: str = "zero", step: str = "step", **axis: Any
) -> list[NodeProto]:
    """A Q and a DQ around an activation."""
    zeros = [zero] if zero else []
    return [
        helper.make_node("QuantizeLinear", [source, step, *zeros], [f"{result}_q"], "q", **axis),
        helper.make_node("DequantizeLinear", [f"{result}_q", step, *zeros], [result], "dq", **axis),
    ]


def real(**axis: Any) -> NodeProto:
    """A DQ behind integer weights."""
    return helper.make_node("DequantizeLinear", ["w", "steps", "zeros"], ["wr"], "weight", **axis)


def conv(*inputs: str) -> NodeProto:
    return helper.make_node("Conv", list(inputs), ["y"], "layer", pads=[1, 1, 1, 1])


def constants(**changes: Any) -> dict[str, Any]:
    known = {
        "zero": ZERO, "step": STEP, "w": WEIGHTS, "steps": np.full(16, 0.01, np.float32),
        "zeros": np.zeros(16, np.int8), "bias": np.zeros(16, np.float32),
    }  # fmt: skip
    return {**known, **changes}


def convolution(**changes: Any) -> Form:
    return [*pair("x", "xr"), real(axis=0), conv("xr", "wr", "bias")], constants(**changes)


def with_bias(kind: Any) -> Form:
    bias = helper.make_node("DequantizeLinear", ["b", "b_steps"], ["bias"], "bias_real", axis=0)
    stored = constants(b=np.zeros(16, kind), b_steps=np.full(16, 0.001, np.float32))
    del stored["bias"]
    return [*pair("x", "xr"), real(axis=0), bias, conv("xr", "wr", "bias")], stored


def product(op: str = "MatMul", axis: int = 1, **attributes: Any) -> Form:
    turned = attributes.get("transB", 0)
    channels = 16 if (axis == 0) == bool(turned) else 32
    stored = constants(
        w=MATRIX.T.copy() if turned else MATRIX,
        steps=np.full(channels, 0.01, np.float32), zeros=np.zeros(channels, np.int8),
    )  # fmt: skip
    layer = helper.make_node(op, ["xr", "wr"], ["y"], "layer", **attributes)
    return [*pair("x", "xr"), real(axis=axis), layer], stored


def quantized_weights() -> Form:
    quantize = helper.make_node("QuantizeLinear", ["wf", "steps"], ["w"], "weight_q", axis=0)
    stored = constants(wf=WEIGHTS.astype(np.float32) * 0.01)
    del stored["w"]
    return [*pair("x", "xr"), quantize, real(axis=0), conv("xr", "wr")], stored


def weights_only() -> Form:
    return [real(axis=0), conv("x", "wr")], constants()


def activations_only() -> Form:
    return [*pair("x", "xr"), conv("xr", "w")], constants(w=WEIGHTS.astype(np.float32))


def integer_operator() -> Form:
    inputs = ["x_q", "step", "zero", "w", "steps", "zeros", "step", "zero"]
    return [
        pair("x", "x")[0],
        helper.make_node("QLinearConv", inputs, ["y_q"], "layer"),
        helper.make_node("DequantizeLinear", ["y_q", "step", "zero"], ["y"], "end"),
    ], constants()


def each_channel() -> Form:
    nodes = [*pair("x", "xr", axis=1), real(axis=0), conv("xr", "wr")]
    return nodes, constants(step=np.full(8, 0.05, np.float32), zero=np.zeros(8, np.int8))


def no_zero_points() -> Form:
    weight = helper.make_node("DequantizeLinear", ["w", "steps"], ["wr"], "weight", axis=0)
    return [*pair("x", "xr", zero=""), weight, conv("xr", "wr", "bias")], constants()


def whole_weights() -> Form:
    return [*pair("x", "xr"), real(), conv("xr", "wr")], constants(steps=STEP, zeros=ZERO)


def along_inputs() -> Form:
    stored = constants(steps=np.full(8, 0.01, np.float32), zeros=np.zeros(8, np.int8))
    return [*pair("x", "xr"), real(axis=1), conv("xr", "wr")], stored


FORMS: dict[str, tuple[Form, Effect | None]] = {
    "weights in int8": (convolution(), None),
    "weights behind Q and DQ": (quantized_weights(), None),
    "one scale for the weights": (whole_weights(), None),
    "zero points left out": (no_zero_points(), None),
    "a matrix product": (product(), None),
    "a Gemm with transposed weights": (product("Gemm", 0, transB=1), None),
    "weights only": (weights_only(), None),
    "a zero point of 3": (convolution(zero=np.int8(3)), Effect.REFUSED),
    "uint8 around 128": (convolution(zero=np.uint8(128)), Effect.REFUSED),
    "uint8 from 0": (convolution(zero=np.uint8(0)), Effect.CHANGED),
    "uint8 weights": (
        convolution(w=(WEIGHTS // 2 + 64).astype(np.uint8), zeros=np.zeros(16, np.uint8)),
        Effect.REFUSED,
    ),
    "weights with a zero point": (convolution(zeros=np.full(16, 5, np.int8)), Effect.REFUSED),
    "an int32 bias": (with_bias(np.int32), Effect.REFUSED),
    "an integer operator": (integer_operator(), Effect.REFUSED),
    "a scale below 0": (convolution(step=np.float32(-0.05)), Effect.REFUSED),
    "float weights": (activations_only(), Effect.FLOAT),
    "scales along a convolution's inputs": (along_inputs(), Effect.FLOAT),
    "scales along a product's inputs": (product(axis=0), Effect.FLOAT),
    "an activation with a scale a channel": (each_channel(), Effect.FLOAT),
    "a scale in a list": (
        convolution(step=np.array([0.05], np.float32), zero=np.zeros(1, np.int8)),
        Effect.FLOAT,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_lint_says_what_tensorrt_does(form: str, model: Model, build: Build) -> None:
    (nodes, stored), effect = FORMS[form]
    flat = nodes[-1].op_type in ("MatMul", "Gemm")
    path = model(nodes, stored, shape=(4, 32) if flat else (1, 8, 16, 16))
    found = lint(ir.load(path).graph)
    assert [breach.effect for breach in found[:1]] == ([effect] if effect else [])
    if effect is Effect.REFUSED:
        refused = ask_support(Builder(RTX), path, "net.onnx", 60).refused
        assert {r.node for r in refused} & {breach.node for breach in found}
        return
    layers = [msgspec.to_builtins(layer) for layer in build(path).layers]
    layer = layer_of(layers, "layer")
    assert layer is not None
    integer = effect is not Effect.FLOAT and form != "weights only"
    assert arithmetic(layer) == ("int8" if integer else "float32")


def test_a_scale_that_is_computed_is_refused_by_the_lint(model: Model) -> None:
    # TensorRT's parser crashes on it.
    nodes, stored = convolution()
    del stored["step"]
    found = helper.make_node("ReduceMax", ["x"], ["step"], "largest", keepdims=0)
    (breach, *_) = lint(ir.load(model([found, *nodes], stored)).graph)
    assert breach.reason == "its scale is computed at run time"


def test_constants_may_be_nodes(model: Model) -> None:
    nodes, stored = convolution()
    step = numpy_helper.from_array(np.asarray(stored.pop("step")), "step")
    held = helper.make_node("Constant", [], ["step"], "step", value=step)
    assert lint(ir.load(model([held, *nodes], stored)).graph) == ()


def test_the_node_that_breaks_a_rule_is_named(model: Model) -> None:
    nodes, stored = convolution(zero=np.int8(3))
    graph = ir.load(model(nodes, stored)).graph
    told = r"net\.onnx: QuantizeLinear 'q': its zero point is 3, not 0: TensorRT refuses it; 1 more"
    with pytest.raises(UnsupportedError, match=told):
        check_rules(graph, "net.onnx")


def test_a_float_graph_breaks_none(conv_net: Path) -> None:
    assert lint(ir.load(conv_net).graph) == ()


def test_four_bits_are_taken(model: Model, build: Build) -> None:
    small = (MATRIX // 16).reshape(-1).tolist()
    integers = helper.make_tensor("w", TensorProto.INT4, [32, 16], small)
    steps = np.full((2, 16), 0.1, np.float32)
    nodes = [
        helper.make_node(
            "DequantizeLinear", ["w", "steps"], ["wr"], "weight", axis=0, block_size=16
        ),
        helper.make_node("MatMul", ["x", "wr"], ["y"], "layer"),
    ]
    path = model(nodes, {"w": integers, "steps": steps}, shape=(4, 32), opset=21)
    assert lint(ir.load(path).graph) == ()
    assert any("int4" in layer.constants for layer in build(path).layers)
