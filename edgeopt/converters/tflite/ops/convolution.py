"""Conv: CONV_2D, DEPTHWISE_CONV_2D, and in one dimension the same over an image of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.padding import Window, fitted
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Conv")
def conv(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Conv; ``(N, C, L)`` becomes an image of one row."""
    data = lowering.view(node.inputs[0])
    weight = lowering.view(node.inputs[1])
    if data.rank not in (3, 4):
        raise lowering.unsupported(node, f"its data has {data.rank} dimensions; TFLite has 2-D")
    if not weight.tensor.constant:
        raise lowering.unsupported(node, "its weights are computed when the model runs")
    row = data.rank == 3
    if row:
        data, weight = data.expanded([2]), weight.expanded([2])
    image = lowering.channels_last(data)
    kernel = weight.shape[2:]
    window = (
        _in_rows(Window.of(node, kernel[-1:], image.shape[2:3]))
        if row
        else Window.of(node, kernel, image.shape[1:3])
    )
    sizes = window.outputs(image.shape[1:3])
    image, padding = fitted(lowering, image, window)
    options = {
        "padding": padding,
        "strideH": window.strides[0],
        "strideW": window.strides[1],
        "dilationHFactor": window.dilations[0],
        "dilationWFactor": window.dilations[1],
    }
    groups = node.attributes.get_int("group", 1)
    depthwise = groups == data.shape[1] and weight.shape[1] == 1 and groups > 1
    if depthwise:
        filters = lowering.stored(weight, (1, 2, 3, 0))
        options["depthMultiplier"] = weight.shape[0] // groups
        code, table = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"
    else:
        filters = lowering.stored(weight, (0, 2, 3, 1))
        code, table = "CONV_2D", "Conv2DOptions"
    output = lowering.emit(
        code, [image, filters, layer_bias(node, lowering, weight.shape[0])],
        Options(table, options),
        shape=(image.shape[0], *sizes, weight.shape[0]), batched=image.batched,
    )  # fmt: skip
    result = View(output, ((0,), (3,), (1,), (2,)))
    lowering.bind(node.outputs[0], result.squeezed({2}) if row else result)


def layer_bias(node: ir.Node, lowering: Lowering, channels: int) -> Tensor:
    """A layer's bias, ``(channels,)``; zeros where it has none, since LiteRT wants one."""
    value = node.inputs[2] if len(node.inputs) > 2 else None
    if value is None:
        zeros = np.zeros(channels, np.float32)
        return lowering.constant_tensor(zeros, f"{node.name}/bias")
    bias = lowering.view(value)
    return lowering.plain(lowering.reshaped(bias, (channels,), (channels,)))


def _in_rows(line: Window) -> Window:
    return Window(
        (1, *line.kernel), (1, *line.strides), (1, *line.dilations), (0, *line.before),
        (0, *line.after),
    )  # fmt: skip
