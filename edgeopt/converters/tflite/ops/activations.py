"""Activations, and softmax."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.ops.elementwise import combined, mapped
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_PLAIN = {
    "Relu": ("RELU", None),
    "Sigmoid": ("LOGISTIC", None),
    "Tanh": ("TANH", None),
    "HardSwish": ("HARD_SWISH", "HardSwishOptions"),
}
_CLAMPS = {(0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1", (0.0, 1.0): "RELU_0_TO_1",
           (0.0, math.inf): "RELU"}  # fmt: skip


@lowers(*_PLAIN)
def plain(node: ir.Node, lowering: Lowering) -> None:
    """Lower an activation that LiteRT has."""
    code, table = _PLAIN[node.op_type]
    view = mapped(lowering, code, lowering.view(node.inputs[0]), table)
    lowering.bind(node.outputs[0], view)


@lowers("Clip")
def clip(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Clip: LiteRT's clamps by name, else MAXIMUM and MINIMUM."""
    low = lowering.constant(node, 1)
    high = lowering.constant(node, 2)
    bounds = (
        -math.inf if low is None else float(low),
        math.inf if high is None else float(high),
    )
    lowering.bind(node.outputs[0], clamped(lowering, lowering.view(node.inputs[0]), *bounds))


@lowers("HardSigmoid")
def hard_sigmoid(node: ir.Node, lowering: Lowering) -> None:
    """Lower a HardSigmoid: ``clamp(alpha x + beta, 0, 1)``."""
    alpha = node.attributes.get_float("alpha", 0.2)
    beta = node.attributes.get_float("beta", 0.5)
    scaled = with_number(lowering, "MUL", lowering.view(node.inputs[0]), alpha)
    moved = with_number(lowering, "ADD", scaled, beta)
    lowering.bind(node.outputs[0], clamped(lowering, moved, 0.0, 1.0))


@lowers("LeakyRelu")
def leaky_relu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a LeakyRelu."""
    fields = {"alpha": node.attributes.get_float("alpha", 0.01)}
    view = lowering.view(node.inputs[0])
    if fields["alpha"] == 1:  # the fence that keeps ONNX Runtime's optimizers apart
        lowering.bind(node.outputs[0], view)
        return
    lowering.bind(
        node.outputs[0], mapped(lowering, "LEAKY_RELU", view, "LeakyReluOptions", fields=fields)
    )


@lowers("Elu")
def elu(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Elu; LiteRT's has alpha 1."""
    if node.attributes.get_float("alpha", 1.0) != 1.0:
        raise lowering.unsupported(node, "TFLite's ELU has alpha 1 only")
    lowering.bind(node.outputs[0], mapped(lowering, "ELU", lowering.view(node.inputs[0])))


@lowers("Gelu")
def gelu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Gelu, exact or by tanh."""
    fields = {"approximate": node.attributes.get_string("approximate", "none") == "tanh"}
    view = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], mapped(lowering, "GELU", view, "GeluOptions", fields=fields))


@lowers("PRelu")
def prelu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a PRelu, whose slope broadcasts."""
    views = [lowering.view(value) for value in node.inputs]
    lowering.bind(node.outputs[0], combined(lowering, "PRELU", views, None))


@lowers("Softmax", since=13)
def softmax(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Softmax: LiteRT's goes along the last stored axis."""
    _along_last(node, lowering, "SOFTMAX", Options("SoftmaxOptions", {"beta": 1.0}))


@lowers("LogSoftmax", since=13)
def log_softmax(node: ir.Node, lowering: Lowering) -> None:
    """Lower a LogSoftmax."""
    _along_last(node, lowering, "LOG_SOFTMAX", Options("LogSoftmaxOptions"))


def clamped(lowering: Lowering, view: View, low: float, high: float) -> View:
    """``min(max(x, low), high)``."""
    code = _CLAMPS.get((low, high))
    if code is not None and view.tensor.dtype == np.float32:
        return mapped(lowering, code, view)
    for word, bound in (("MAXIMUM", low), ("MINIMUM", high)):
        if math.isfinite(bound):
            view = with_number(lowering, word, view, bound)
    return view


def with_number(lowering: Lowering, code: str, view: View, number: float) -> View:
    """An operator of a value and a number."""
    tables = {"MUL": "MulOptions", "ADD": "AddOptions", "SUB": "SubOptions", "DIV": "DivOptions"}
    constant = np.array(number, view.tensor.dtype)
    other = View.of(lowering.constant_tensor(constant, f"number_{number:g}"))
    options = Options(tables.get(code, "MaximumMinimumOptions"))
    return combined(lowering, code, [view, other], options)


def _along_last(node: ir.Node, lowering: Lowering, code: str, options: Options) -> None:
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", -1) % view.rank
    stored = view.storage_order() or tuple(range(view.rank))
    order = (*(n for n in stored if n != axis), axis)
    output = lowering.emit(code, [lowering.stored(view, order)], options)
    lowering.bind(node.outputs[0], View(output, tuple((order.index(n),) for n in range(view.rank))))
