"""ConvTranspose: a convolution that gives each pixel's share of the output, and DEPTH_TO_SPACE.

LiteRT's TRANSPOSE_CONV takes the output's shape as data, its batch too, so it can't be resized.
With stride ``s`` an output pixel at ``s * q + r`` is a sum over the inputs around ``q`` with the
weights at ``s * j + r``: an ordinary convolution with ``s * s`` times the channels, as much
arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Quantization, Tensor
from edgeopt.converters.tflite.ops.convolution import convolved, layer_bias
from edgeopt.converters.tflite.ops.padding import Window
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import sliced
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.converters.tflite.lowering import Lowering

_IMAGE = ((0,), (3,), (1,), (2,))


@dataclass(frozen=True)
class Placement:
    """Where what is given lies in all that the kernel reaches, one number an axis.

    Args:
        strides: Of the output.
        before: How much is cut off before.
        sizes: Of what is given.
    """

    strides: tuple[int, ...]
    before: tuple[int, ...]
    sizes: tuple[int, ...]


@lowers("ConvTranspose")
def conv_transpose(node: ir.Node, lowering: Lowering) -> None:
    """Lower a ConvTranspose; ``(N, C, L)`` becomes an image of one row."""
    data, weight = lowering.view(node.inputs[0]), lowering.view(node.inputs[1])
    if data.rank not in (3, 4):
        raise lowering.unsupported(node, f"its data has {data.rank} dimensions; TFLite has 2-D")
    row = data.rank == 3
    if row:
        data, weight = data.expanded([2]), weight.expanded([2])
    groups = node.attributes.get_int("group", 1)
    filters = _dilated(node, lowering, weight, row=row)
    bias = layer_bias(node, lowering, filters.shape[1] * groups)
    placement = _placement(node, data.shape[2:], filters.shape[2:], row=row)
    image = _convolved(lowering, lowering.channels_last(data), filters, bias, groups, placement)
    result = _spread(lowering, image, placement.strides, groups)
    cuts = {}
    for axis, (stride, start, size) in enumerate(
        zip(placement.strides, placement.before, placement.sizes, strict=True), 2
    ):
        cuts[axis] = slice(start % stride, start % stride + size, 1)
    result = sliced(lowering, result, cuts)
    lowering.bind(node.outputs[0], result.squeezed({2}) if row else result)


def _convolved(
    lowering: Lowering,
    image: Tensor,
    filters: Tensor,
    bias: Tensor,
    groups: int,
    placement: Placement,
) -> Tensor:
    """Each output pixel's channels at its input pixel: ``(N, q..., groups * s * s * O)``."""
    assert filters.data is not None
    inner, outer, *kernel = filters.shape
    taps = [-(-k // s) for k, s in zip(kernel, placement.strides, strict=True)]
    sh, sw = placement.strides
    room = np.zeros((inner, outer, taps[0] * sh, taps[1] * sw), filters.dtype)
    room[:, :, : kernel[0], : kernel[1]] = filters.data
    # (groups, I, O, th, sh, tw, sw) -> (groups, sh, sw, O, I, th, tw), taps from the last one.
    split = room.reshape(groups, inner // groups, outer, taps[0], sh, taps[1], sw)
    turned = split.transpose(0, 4, 6, 2, 1, 3, 5)[..., ::-1, ::-1]
    weight = lowering.constant_tensor(
        np.ascontiguousarray(turned.reshape(groups * sh * sw * outer, inner // groups, *taps)),
        filters.name,
    )
    weight.quantization = _repeated(filters.quantization, sh * sw)
    assert bias.data is not None
    biases = np.broadcast_to(
        bias.data.reshape(groups, 1, outer), (groups, sh * sw, outer)
    ).reshape(-1)  # fmt: skip
    window = _window(image.shape[1:3], taps, placement)
    return convolved(
        lowering, image, View.of(weight), _bias(lowering, bias, biases, sh * sw), window, groups
    )


def _bias(lowering: Lowering, bias: Tensor, repeated: NDArray[np.generic], times: int) -> Tensor:
    made = lowering.constant_tensor(repeated, bias.name)
    made.quantization = _repeated(bias.quantization, times)
    return made


def _repeated(found: Quantization | None, times: int) -> Quantization | None:
    """The scales of channels that are there several times, one block of them after the other."""
    if found is None or found.axis is None:
        return found
    return Quantization(found.scale * times, found.zero_point * times, 0)


def _window(sizes: tuple[int, ...], taps: list[int], placement: Placement) -> Window:
    first = [b // s for b, s in zip(placement.before, placement.strides, strict=True)]
    last = [
        -(-(b + d) // s) - 1
        for b, d, s in zip(placement.before, placement.sizes, placement.strides, strict=True)
    ]
    return Window(
        tuple(taps), (1, 1), (1, 1),
        tuple(t - 1 - q for t, q in zip(taps, first, strict=True)),
        tuple(q - (d - 1) for q, d in zip(last, sizes, strict=True)),
    )  # fmt: skip


def _spread(lowering: Lowering, image: Tensor, strides: tuple[int, ...], groups: int) -> View:
    """Channels ``(groups, sh, sw, O)`` put where their pixels are."""
    sh, sw = strides
    batch, high, wide, deep = image.shape
    outer = deep // (groups * sh * sw)
    if groups == 1 and sh == sw and sh > 1:
        output = lowering.emit(
            "DEPTH_TO_SPACE", [image], Options("DepthToSpaceOptions", {"blockSize": sh}),
            shape=(batch, high * sh, wide * sw, outer), batched=image.batched,
        )  # fmt: skip
        return View(output, _IMAGE)
    shape = (batch, high, wide, groups, sh, sw, outer)
    whole = [n for n, size in enumerate(shape) if n in (0, 1, 2, 6) or size > 1]
    parts = lowering.reshaped_tensor(image, tuple(shape[n] for n in whole), image.batched)
    order = [whole.index(n) for n in (0, 1, 4, 2, 5, 3, 6) if n in whole]
    moved = lowering.stored(View.of(parts), tuple(order))
    full = (batch, high * sh, wide * sw, groups * outer)
    return View(lowering.reshaped_tensor(moved, full, image.batched), _IMAGE)


def _placement(
    node: ir.Node, sizes: tuple[int, ...], kernel: tuple[int, ...], *, row: bool
) -> Placement:
    """As ONNX defines it ("ConvTranspose", output shape), ``auto_pad`` resolved."""
    count = 1 if row else 2
    one, zero = ((1,), (0,)) if row else ((), ())
    get = node.attributes.get_ints
    strides = (*one, *get("strides", [1] * count))
    more = (*zero, *get("output_padding", [0] * count))
    pads = get("pads", [0] * 2 * count)
    before, after = (*zero, *pads[:count]), (*zero, *pads[count:])
    full = [s * (d - 1) + k + m for s, d, k, m in zip(strides, sizes, kernel, more, strict=True)]
    auto = node.attributes.get_string("auto_pad", "NOTSET")
    wanted = list(get("output_shape", []))
    if auto == "VALID":
        before = after = tuple(0 for _ in before)
    if auto.startswith("SAME") and not wanted:
        wanted = [d * s for d, s in zip(sizes, strides, strict=True)][-count:]
    if not wanted:
        given = tuple(f - b - a for f, b, a in zip(full, before, after, strict=True))
        return Placement(strides, before, given)
    given = (*one, *wanted[-count:])
    totals = [max(f - w, 0) for f, w in zip(full, given, strict=True)]
    upper = auto == "SAME_UPPER"
    before = tuple(t // 2 if upper else t - t // 2 for t in totals)
    return Placement(strides, before, given)


def _dilated(node: ir.Node, lowering: Lowering, weight: View, *, row: bool) -> Tensor:
    """The weights ``(I, O / groups, h, w)`` with zeros between what a dilation keeps apart."""
    if not weight.tensor.constant:
        raise lowering.unsupported(node, "its weights are computed when the model runs")
    tensor = lowering.plain(weight)
    assert tensor.data is not None
    if tensor.quantization is not None and node.attributes.get_int("group", 1) > 1:
        raise lowering.unsupported(node, "its weights are integers; leave this layer in float")
    dilations = node.attributes.get_ints("dilations", [1] if row else [1, 1])
    steps = (1, *dilations) if row else tuple(dilations)
    if all(d == 1 for d in steps):
        return tensor
    shape = [d * (k - 1) + 1 for k, d in zip(tensor.shape[2:], steps, strict=True)]
    found = np.zeros((*tensor.shape[:2], *shape), tensor.dtype)
    found[:, :, :: steps[0], :: steps[1]] = tensor.data
    return replace(tensor, shape=found.shape, data=found)
