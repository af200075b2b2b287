"""Conv: CONV_2D and DEPTHWISE_CONV_2D; lines are images of one row, volumes of more channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.padding import Window, fitted
from edgeopt.converters.tflite.ops.volumes import across, flattened_kernel, stacked
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Conv")
def conv(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Conv; ``(N, C, L)`` becomes an image of one row."""
    data = lowering.view(node.inputs[0])
    weight = lowering.view(node.inputs[1])
    if data.rank not in (3, 4, 5):
        raise lowering.unsupported(node, f"its data has {data.rank} dimensions; TFLite has 2-D")
    if not weight.tensor.constant:
        raise lowering.unsupported(node, "its weights are computed when the model runs")
    said = node.attributes.get_ints("kernel_shape", weight.shape[2:])
    if tuple(said) != weight.shape[2:]:
        raise lowering.unsupported(
            node, f"it says that its kernel is {list(said)}, but it is {list(weight.shape[2:])}",
            "export the model again",
        )  # fmt: skip
    if data.rank == 5:
        lowering.bind(node.outputs[0], _volume(node, lowering, data, weight))
        return
    row = data.rank == 3
    if row:
        data, weight = data.expanded([2]), weight.expanded([2])
    image = lowering.channels_last(data)
    kernel = weight.shape[2:]
    window = (
        Window.of(node, kernel[-1:], image.shape[2:3]).in_rows()
        if row
        else Window.of(node, kernel, image.shape[1:3])
    )
    groups = node.attributes.get_int("group", 1)
    bias = layer_bias(node, lowering, weight.shape[0])
    output = convolved(lowering, image, weight, bias, window, groups)
    result = View(output, ((0,), (3,), (1,), (2,)))
    lowering.bind(node.outputs[0], result.squeezed({2}) if row else result)


def _volume(node: ir.Node, lowering: Lowering, data: View, weight: View) -> View:
    if node.attributes.get_int("group", 1) != 1:
        raise lowering.unsupported(node, "its data is a volume, and its channels have groups")
    window = Window.of(node, weight.shape[2:], data.shape[2:])
    image = stacked(lowering, lowering.channels_last(data), window)
    bias = layer_bias(node, lowering, weight.shape[0])
    kernel = flattened_kernel(lowering, weight)
    found = View.of(convolved(lowering, image, kernel, bias, across(window), 1))
    depth, *sizes = window.outputs(data.shape[2:])
    batches = (data.shape[0], many_shape(data)[0])
    shapes = [(count, depth, *sizes, weight.shape[0]) for count in batches]
    return lowering.reshaped(found, *shapes).permuted((0, 4, 1, 2, 3))


def convolved(
    lowering: Lowering, image: Tensor, weight: View, bias: Tensor, window: Window, groups: int
) -> Tensor:
    """A convolution of an image stored with channels last.

    Args:
        lowering: The walk.
        image: ``(N, H, W, I)``.
        weight: Constant, ``(O, I / groups, h, w)``.
        bias: ``(O,)``.
        window: How the kernel goes over the image.
        groups: Of channels.
    """
    sizes = window.outputs(image.shape[1:3])
    channels = image.shape[3]
    image, padding = fitted(lowering, image, window)
    options = {
        "padding": padding,
        "strideH": window.strides[0],
        "strideW": window.strides[1],
        "dilationHFactor": window.dilations[0],
        "dilationWFactor": window.dilations[1],
    }
    if groups == channels and weight.shape[1] == 1 and groups > 1:
        filters = lowering.stored(weight, (1, 2, 3, 0))
        options["depthMultiplier"] = weight.shape[0] // groups
        code, table = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"
    else:
        filters = lowering.stored(weight, (0, 2, 3, 1))
        code, table = "CONV_2D", "Conv2DOptions"
    return lowering.emit(
        code, [image, filters, bias], Options(table, options),
        shape=(image.shape[0], *sizes, weight.shape[0]), batched=image.batched,
    )  # fmt: skip


def layer_bias(node: ir.Node, lowering: Lowering, channels: int) -> Tensor:
    """A layer's bias, ``(channels,)``; zeros where it has none, since LiteRT wants one."""
    value = node.inputs[2] if len(node.inputs) > 2 else None
    if value is None:
        zeros = np.zeros(channels, np.float32)
        return lowering.constant_tensor(zeros, f"{node.name}/bias")
    bias = lowering.view(value)
    return lowering.plain(lowering.reshaped(bias, (channels,), (channels,)))
