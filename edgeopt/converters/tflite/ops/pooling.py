"""Pools: MAX_POOL_2D, AVERAGE_POOL_2D, and MEAN for the global one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.padding import SAME, Window, fitted
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_IMAGE = ((0,), (3,), (1,), (2,))


@lowers("MaxPool")
def max_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower a MaxPool of an image."""
    image, window = _image(node, lowering)
    if any(d != 1 for d in window.dilations):
        raise lowering.unsupported(node, "TFLite's pools have no dilation")
    if len(node.outputs) > 1 and node.outputs[1].uses():
        raise lowering.unsupported(node, "TFLite's MaxPool doesn't give indices")
    sizes = window.outputs(image.shape[1:3])
    fill = 0.0 if _never_negative(node.inputs[0]) else float(np.finfo(np.float32).min)
    padded, padding = fitted(lowering, image, window, fill)
    _pool(node, lowering, "MAX_POOL_2D", padded, window, sizes, padding)


@lowers("AveragePool")
def average_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower an AveragePool of an image."""
    image, window = _image(node, lowering)
    if any(d != 1 for d in window.dilations):
        raise lowering.unsupported(node, "TFLite's pools have no dilation")
    sizes = window.outputs(image.shape[1:3])
    pads = window.needed(image.shape[1:3])
    counts_pads = bool(node.attributes.get_int("count_include_pad", 0))
    if not counts_pads and any(a or b for a, b in pads) and not window.is_same(image.shape[1:3]):
        raise lowering.unsupported(
            node, "it leaves padding out of its mean where TFLite's SAME would pad differently",
            "use count_include_pad, or pad so that the size is that of the stride",
        )  # fmt: skip
    if counts_pads and window.is_same(image.shape[1:3]) and any(a or b for a, b in pads):
        from edgeopt.converters.tflite.ops.padding import VALID, padded

        filled = padded(lowering, image, ((0, 0), *pads, (0, 0)), 0.0)
        _pool(node, lowering, "AVERAGE_POOL_2D", filled, window, sizes, VALID)
        return
    filled, padding = fitted(lowering, image, window)
    _pool(node, lowering, "AVERAGE_POOL_2D", filled, window, sizes, padding)


@lowers("GlobalAveragePool")
def global_average_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GlobalAveragePool: MEAN over the pixels, which delegates take and pools aren't."""
    from edgeopt.converters.tflite.ops.reductions import reduced

    data = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], reduced(lowering, data, range(2, data.rank), "MEAN", keep=True))


@lowers("GlobalMaxPool")
def global_max_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GlobalMaxPool."""
    from edgeopt.converters.tflite.ops.reductions import reduced

    data = lowering.view(node.inputs[0])
    view = reduced(lowering, data, range(2, data.rank), "REDUCE_MAX", keep=True)
    lowering.bind(node.outputs[0], view)


def _image(node: ir.Node, lowering: Lowering) -> tuple[Tensor, Window]:
    data = lowering.view(node.inputs[0])
    if data.rank != 4:
        raise lowering.unsupported(node, f"its data has {data.rank} dimensions; TFLite has 2-D")
    image = lowering.channels_last(data)
    return image, Window.of(node, node.attributes.get_ints("kernel_shape"), image.shape[1:3])


def _pool(
    node: ir.Node,
    lowering: Lowering,
    code: str,
    image: Tensor,
    window: Window,
    sizes: tuple[int, ...],
    padding: int,
) -> None:
    options = {
        "padding": padding,
        "strideH": window.strides[0],
        "strideW": window.strides[1],
        "filterHeight": window.kernel[0],
        "filterWidth": window.kernel[1],
    }
    output = lowering.emit(
        code, [image], Options("Pool2DOptions", options),
        shape=(image.shape[0], *sizes, image.shape[3]), batched=image.batched,
    )  # fmt: skip
    assert padding == SAME or all(sizes)
    lowering.bind(node.outputs[0], View(output, _IMAGE))


def _never_negative(value: ir.Value | None) -> bool:
    node = None if value is None else value.producer()
    if node is None:
        return False
    if node.op_type in ("MaxPool", "Identity", "DequantizeLinear", "QuantizeLinear"):
        return _never_negative(node.inputs[0])
    if node.op_type == "Clip":
        low = node.inputs[1] if len(node.inputs) > 1 else None
        return (
            low is not None and low.const_value is not None and float(low.const_value.numpy()) >= 0
        )
    return node.op_type in ("Relu", "Sigmoid", "Softmax", "Exp", "Sqrt", "Abs")
