"""Normalizations, composed of means and products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined, mapped, with_number
from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.ops.reductions import reduced
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_MUL, _ADD, _SUB = Options("MulOptions"), Options("AddOptions"), Options("SubOptions")


@lowers("BatchNormalization", since=7)
def batch_normalization(node: ir.Node, lowering: Lowering) -> None:
    """Lower what no convolution took up: ``x * factor + offset``, channel by channel."""
    if node.attributes.get_int("training_mode", 0):
        raise lowering.unsupported(node, "it is in training mode")
    data = lowering.view(node.inputs[0])
    arrays = [lowering.constant(node, n) for n in range(1, 5)]
    scale, bias, mean, variance = (np.asarray(a, np.float64) for a in arrays)
    factor = scale / np.sqrt(variance + node.attributes.get_float("epsilon", 1e-5))
    offset = bias - mean * factor
    shape = (-1, *([1] * max(data.rank - 2, 0)))
    for code, options, numbers in (("MUL", _MUL, factor), ("ADD", _ADD, offset)):
        array = numbers.astype(np.float32).reshape(shape)
        other = View.of(lowering.constant_tensor(array, f"{node.name}/{code.lower()}"))
        data = combined(lowering, code, [data, other], options)
    lowering.bind(node.outputs[0], data)


@lowers("LayerNormalization")
def layer_normalization(node: ir.Node, lowering: Lowering) -> None:
    """Lower a LayerNormalization: ``(x - mean) / sqrt(variance + epsilon) * scale + bias``."""
    data = lowering.view(node.inputs[0])
    first = node.attributes.get_int("axis", -1) % data.rank
    axes = range(first, data.rank)
    normal = normalized(lowering, data, axes, node.attributes.get_float("epsilon", 1e-5))
    normal = combined(lowering, "MUL", [normal, lowering.view(node.inputs[1])], _MUL)
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        normal = combined(lowering, "ADD", [normal, lowering.view(node.inputs[2])], _ADD)
    lowering.bind(node.outputs[0], normal)


@lowers("InstanceNormalization")
def instance_normalization(node: ir.Node, lowering: Lowering) -> None:
    """Lower an InstanceNormalization: each channel of each image by itself."""
    data = lowering.view(node.inputs[0])
    epsilon = node.attributes.get_float("epsilon", 1e-5)
    normal = normalized(lowering, data, range(2, data.rank), epsilon)
    for index, code, options in ((1, "MUL", _MUL), (2, "ADD", _ADD)):
        other = lowering.view(node.inputs[index]).expanded(list(range(1, data.rank - 1)))
        normal = combined(lowering, code, [normal, other], options)
    lowering.bind(node.outputs[0], normal)


def normalized(lowering: Lowering, data: View, axes: range, epsilon: float) -> View:
    """``(x - mean) / sqrt(variance + epsilon)`` over some axes."""
    mean = reduced(lowering, data, axes, "MEAN", keep=True)
    centred = combined(lowering, "SUB", [data, mean], _SUB)
    squares = combined(lowering, "MUL", [centred, centred], _MUL)
    variance = reduced(lowering, squares, axes, "MEAN", keep=True)
    steps = mapped(lowering, "RSQRT", with_number(lowering, "ADD", variance, epsilon))
    return combined(lowering, "MUL", [centred, steps], _MUL)
