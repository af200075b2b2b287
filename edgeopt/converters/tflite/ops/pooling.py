"""Pools: MAX_POOL_2D, AVERAGE_POOL_2D, and MEAN for the global one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.joining import joined
from edgeopt.converters.tflite.ops.padding import SAME, VALID, Window, fitted, padded
from edgeopt.converters.tflite.ops.reductions import reduced
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import sliced
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_IMAGE = ((0,), (3,), (1,), (2,))


@lowers("MaxPool")
def max_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower a MaxPool."""
    image, window, row = _image(node, lowering)
    if len(node.outputs) > 1 and node.outputs[1].uses():
        raise lowering.unsupported(node, "TFLite's MaxPool doesn't give indices")
    sizes = window.outputs(image.shape[1:3])
    if not _never_negative(node.inputs[0]) and not window.is_same(image.shape[1:3]):
        image, padding = _edges_repeated(lowering, image, window), VALID
    else:
        image, padding = fitted(lowering, image, window)
    output = _pooled(lowering, "MAX_POOL_2D", image, window, sizes, padding)
    _bind(node, lowering, output, row=row)


@lowers("AveragePool", since=7)
def average_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower an AveragePool: where windows count different numbers of pixels, scaled for it."""
    image, window, row = _image(node, lowering)
    pixels = image.shape[1:3]
    sizes = window.outputs(pixels)
    counts_pads = bool(node.attributes.get_int("count_include_pad", 0))
    if not counts_pads and window.is_same(pixels):
        output = _pooled(lowering, "AVERAGE_POOL_2D", image, window, sizes, SAME)
        _bind(node, lowering, output, row=row)
        return
    pads = window.needed(pixels)
    if any(a or b for a, b in pads):
        image = padded(lowering, image, ((0, 0), *pads, (0, 0)), 0.0)
    output = _pooled(lowering, "AVERAGE_POOL_2D", image, window, sizes, VALID)
    counts = window.counts(pixels, with_pads=counts_pads)
    area = math.prod(window.kernel)
    if (counts != area).any():
        scale = (area / np.maximum(counts, 1)).astype(np.float32)[None, :, :, None]
        factor = lowering.constant_tensor(scale, f"{node.name}/counts")
        output = lowering.emit("MUL", [output, factor], Options("MulOptions"))
    _bind(node, lowering, output, row=row)


@lowers("GlobalAveragePool")
def global_average_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GlobalAveragePool: MEAN over the pixels, which delegates take and pools aren't."""
    data = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], reduced(lowering, data, range(2, data.rank), "MEAN", keep=True))


@lowers("GlobalMaxPool")
def global_max_pool(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GlobalMaxPool."""
    data = lowering.view(node.inputs[0])
    view = reduced(lowering, data, range(2, data.rank), "REDUCE_MAX", keep=True)
    lowering.bind(node.outputs[0], view)


def _image(node: ir.Node, lowering: Lowering) -> tuple[Tensor, Window, bool]:
    """Its image, its window, and whether it is an image of one row."""
    data = lowering.view(node.inputs[0])
    if data.rank not in (3, 4):
        raise lowering.unsupported(node, f"its data has {data.rank} dimensions; TFLite has 2-D")
    row = data.rank == 3
    image = lowering.channels_last(data.expanded([2]) if row else data)
    kernel = node.attributes.get_ints("kernel_shape")
    window = Window.of(node, kernel, image.shape[2:3] if row else image.shape[1:3])
    window = window.in_rows() if row else window
    if any(d != 1 for d in window.dilations):
        raise lowering.unsupported(node, "TFLite's pools have no dilation")
    return image, window, row


def _pooled(
    lowering: Lowering,
    code: str,
    image: Tensor,
    window: Window,
    sizes: tuple[int, ...],
    padding: int,
) -> Tensor:
    options = {
        "padding": padding,
        "strideH": window.strides[0],
        "strideW": window.strides[1],
        "filterHeight": window.kernel[0],
        "filterWidth": window.kernel[1],
    }
    return lowering.emit(
        code, [image], Options("Pool2DOptions", options),
        shape=(image.shape[0], *sizes, image.shape[3]), batched=image.batched,
    )  # fmt: skip


def _edges_repeated(lowering: Lowering, image: Tensor, window: Window) -> Tensor:
    """An image with its first and last pixels again where it is padded.

    A window that sees the padding sees those pixels too, so that their greatest stays the same;
    a PADV2 with the least number would leave XNNPACK.
    """
    view = View.of(image)
    for axis, (before, after) in enumerate(window.needed(image.shape[1:3]), 1):
        first, last = (
            sliced(lowering, view, {axis: cut}) if count else view
            for cut, count in ((slice(0, 1, 1), before), (slice(-1, None, 1), after))
        )
        view = joined(lowering, [first] * before + [view] + [last] * after, axis)
    return view.tensor


def _bind(node: ir.Node, lowering: Lowering, output: Tensor, *, row: bool) -> None:
    view = View(output, _IMAGE)
    lowering.bind(node.outputs[0], view.squeezed({2}) if row else view)


def _never_negative(value: ir.Value | None) -> bool:
    node = None if value is None else value.producer()
    if node is None:
        return False
    if node.op_type == "DequantizeLinear" and _starts_at_zero(node):
        return True
    if node.op_type in ("MaxPool", "Identity", "DequantizeLinear", "QuantizeLinear"):
        return _never_negative(node.inputs[0])
    if node.op_type == "Clip":
        low = node.inputs[1] if len(node.inputs) > 1 else None
        return (
            low is not None and low.const_value is not None and float(low.const_value.numpy()) >= 0
        )
    return node.op_type in ("Relu", "Sigmoid", "Softmax", "Exp", "Sqrt", "Abs")


def _starts_at_zero(node: ir.Node) -> bool:
    """Whether the least integer stands for 0."""
    point = node.inputs[2] if len(node.inputs) > 2 else None
    if point is None or point.const_value is None:
        return False
    array = point.const_value.numpy()
    return array.dtype.kind in "iu" and bool((array == np.iinfo(array.dtype).min).all())
