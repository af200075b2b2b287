"""Activations, and softmax."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import (
    combined,
    mapped,
    number_like,
    with_number,
)
from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_PLAIN = {"Sigmoid": "LOGISTIC", "Tanh": "TANH", "HardSwish": "HARD_SWISH"}
_CLAMPS = {(0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1", (0.0, math.inf): "RELU"}
"""Without RELU_0_TO_1, which XNNPACK doesn't take."""


@lowers(*_PLAIN, since=6)
def plain(node: ir.Node, lowering: Lowering) -> None:
    """Lower an activation that LiteRT has."""
    view = mapped(lowering, _PLAIN[node.op_type], lowering.view(node.inputs[0]))
    lowering.bind(node.outputs[0], view)


@lowers("Relu", since=6)
def relu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Relu."""
    view = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], clamped(lowering, view, 0.0, math.inf))


@lowers("Clip", since=6)
def clip(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Clip: LiteRT's clamps by name, else MAXIMUM and MINIMUM."""
    view = lowering.view(node.inputs[0])
    if lowering.opset < 11:
        low = node.attributes.get_float("min", -math.inf)
        high = node.attributes.get_float("max", math.inf)
        lowering.bind(node.outputs[0], clamped(lowering, view, low, high))
        return
    bounds = [*node.inputs[1:3], None, None][:2]
    known = [None if v is None else lowering.known(v) for v in bounds]
    if all(v is None or k is not None for v, k in zip(bounds, known, strict=True)):
        least, most = lowering.constant(node, 1), lowering.constant(node, 2)
        low = -math.inf if least is None else least.item()
        high = math.inf if most is None else most.item()
        lowering.bind(node.outputs[0], clamped(lowering, view, low, high))
        return
    for code, value in zip(("MAXIMUM", "MINIMUM"), bounds, strict=True):
        if value is not None:
            view = combined(lowering, code, [view, lowering.view(value)])
    lowering.bind(node.outputs[0], view)


@lowers("HardSigmoid", since=6)
def hard_sigmoid(node: ir.Node, lowering: Lowering) -> None:
    """Lower ``clamp(alpha x + beta, 0, 1)``, as a sixth of a RELU6, which fuses."""
    view = lowering.view(node.inputs[0])
    slope = 6 * node.attributes.get_float("alpha", 0.2)
    if not math.isclose(slope, 1, rel_tol=1e-6):
        view = with_number(lowering, "MUL", view, slope)
    moved = with_number(lowering, "ADD", view, 6 * node.attributes.get_float("beta", 0.5))
    clamp = clamped(lowering, moved, 0.0, 6.0)
    lowering.bind(node.outputs[0], with_number(lowering, "MUL", clamp, 1 / 6))


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


@lowers("Elu", "Celu", "Selu", since=6)
def exponential(node: ir.Node, lowering: Lowering) -> None:
    """Lower ``gamma * (max(x, 0) + alpha * (exp(min(x, 0) / beta) - 1))`` by LiteRT's ELU."""
    get = node.attributes.get_float
    alpha = get("alpha", 1.6732632423543772 if node.op_type == "Selu" else 1.0)
    gamma = get("gamma", 1.0507009873554805) if node.op_type == "Selu" else 1.0
    beta = alpha if node.op_type == "Celu" else 1.0
    view = lowering.view(node.inputs[0])
    if alpha == 1 and gamma == 1:
        lowering.bind(node.outputs[0], mapped(lowering, "ELU", view))
        return
    below = with_number(lowering, "MINIMUM", view, 0)
    if beta != 1:
        below = with_number(lowering, "MUL", below, 1 / beta)
    below = with_number(lowering, "MUL", mapped(lowering, "ELU", below), alpha)
    found = combined(lowering, "ADD", [clamped(lowering, view, 0.0, math.inf), below])
    if gamma != 1:
        found = with_number(lowering, "MUL", found, gamma)
    lowering.bind(node.outputs[0], found)


@lowers("Softplus")
def softplus(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Softplus."""
    lowering.bind(node.outputs[0], _softplus(lowering, lowering.view(node.inputs[0])))


@lowers("Mish")
def mish(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Mish: ``x * tanh(softplus(x))``."""
    view = lowering.view(node.inputs[0])
    gate = mapped(lowering, "TANH", _softplus(lowering, view))
    lowering.bind(node.outputs[0], combined(lowering, "MUL", [view, gate]))


@lowers("Swish")
def swish(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Swish: ``x * sigmoid(alpha * x)``."""
    view = lowering.view(node.inputs[0])
    alpha = node.attributes.get_float("alpha", 1.0)
    inner = view if alpha == 1 else with_number(lowering, "MUL", view, alpha)
    gate = mapped(lowering, "LOGISTIC", inner)
    lowering.bind(node.outputs[0], combined(lowering, "MUL", [view, gate]))


@lowers("Softsign")
def softsign(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Softsign: ``x / (1 + |x|)``."""
    view = lowering.view(node.inputs[0])
    size = with_number(lowering, "ADD", mapped(lowering, "ABS", view), 1)
    lowering.bind(node.outputs[0], combined(lowering, "DIV", [view, size]))


@lowers("ThresholdedRelu")
def thresholded_relu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a ThresholdedRelu: what isn't above alpha becomes 0."""
    view = lowering.view(node.inputs[0])
    bound = number_like(lowering, view, node.attributes.get_float("alpha", 1.0))
    above = combined(lowering, "GREATER", [view, bound], dtype=np.bool_)
    zero = number_like(lowering, view, 0)
    found = combined(lowering, "SELECT_V2", [above, view, zero], dtype=view.tensor.dtype)
    lowering.bind(node.outputs[0], found)


@lowers("Gelu")
def gelu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Gelu, exact or by tanh."""
    fields = {"approximate": node.attributes.get_string("approximate", "none") == "tanh"}
    view = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], mapped(lowering, "GELU", view, "GeluOptions", fields=fields))


@lowers("PRelu", since=7)
def prelu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a PRelu, whose slope broadcasts."""
    data, slope = (lowering.view(value) for value in node.inputs)
    if slope.tensor.constant:
        lowering.bind(node.outputs[0], combined(lowering, "PRELU", [data, slope]))
        return
    below = combined(lowering, "MUL", [with_number(lowering, "MINIMUM", data, 0), slope])
    above = clamped(lowering, data, 0.0, math.inf)
    lowering.bind(node.outputs[0], combined(lowering, "ADD", [above, below]))


@lowers("Softmax", "LogSoftmax")
def softmax(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Softmax, along the last stored axis; before opset 13 along all from ``axis`` on."""
    view = lowering.view(node.inputs[0])
    old = lowering.opset < 13
    axis = node.attributes.get_int("axis", 1 if old else -1) % max(view.rank, 1)
    if not old or axis == view.rank - 1:
        lowering.bind(node.outputs[0], softmax_along(lowering, view, axis, node.op_type))
        return
    shapes = [
        (math.prod(sizes[:axis]), math.prod(sizes[axis:]))
        for sizes in (view.shape, many_shape(view))
    ]
    flat = softmax_along(lowering, lowering.reshaped(view, *shapes), 1, node.op_type)
    lowering.bind(node.outputs[0], lowering.reshaped(flat, view.shape, many_shape(view)))


def softmax_along(lowering: Lowering, view: View, axis: int, kind: str = "Softmax") -> View:
    """``exp(x) / sum(exp(x))`` along one axis, or the logarithm of it."""
    stored = view.storage_order() or tuple(range(view.rank))
    order = (*(n for n in stored if n != axis), axis)
    if kind == "Softmax":
        code, options = "SOFTMAX", Options("SoftmaxOptions", {"beta": 1.0})
    else:
        code, options = "LOG_SOFTMAX", Options("LogSoftmaxOptions")
    output = lowering.emit(code, [lowering.stored(view, order)], options)
    return View(output, tuple((order.index(n),) for n in range(view.rank)))


def clamped(lowering: Lowering, view: View, low: float, high: float) -> View:
    """``min(max(x, low), high)``."""
    code = _CLAMPS.get((low, high))
    if code is not None and view.tensor.dtype == np.float32:
        return mapped(lowering, code, view)
    for word, bound in (("MAXIMUM", low), ("MINIMUM", high)):
        if math.isfinite(bound):
            view = with_number(lowering, word, view, bound)
    return view


def _softplus(lowering: Lowering, view: View) -> View:
    """``max(x, 0) + log(1 + exp(-|x|))``, which doesn't overflow."""
    small = mapped(lowering, "EXP", mapped(lowering, "NEG", mapped(lowering, "ABS", view)))
    log = mapped(lowering, "LOG", with_number(lowering, "ADD", small, 1))
    return combined(lowering, "ADD", [clamped(lowering, view, 0.0, math.inf), log])
