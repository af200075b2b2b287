"""Operators that see the same elements in another shape or order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import MANY, Operator, Options, Tensor
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_IMAGE = ((0,), (3,), (1,), (2,))


@lowers("Reshape", since=5)
def reshape(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Reshape: mostly another view of the same tensor."""
    view = lowering.view(node.inputs[0])
    known = lowering.known(node.inputs[1])
    if known is None:
        raise lowering.unsupported(node, "its shape is computed when the model runs")
    zero = not node.attributes.get_int("allowzero", 0)
    shape = _target(known.one.tolist(), view.shape, zero=zero)
    many = _target(known.many.tolist(), many_shape(view), zero=zero)
    if math.prod(shape) != math.prod(view.shape) or math.prod(many) != math.prod(many_shape(view)):
        raise lowering.unsupported(
            node,
            f"its shape {known.one.tolist()} doesn't fit data of {list(view.shape)} for a batch of "
            "any size",
            "export with a batch that isn't fixed, or fix the batch with --input",
        )
    lowering.bind(node.outputs[0], lowering.reshaped(view, shape, many))


@lowers("Flatten")
def flatten(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Flatten."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 1)
    axis = axis + view.rank if axis < 0 else axis
    one, many = (
        (math.prod(sizes[:axis]), math.prod(sizes[axis:]))
        for sizes in (view.shape, many_shape(view))
    )
    lowering.bind(node.outputs[0], lowering.reshaped(view, one, many))


@lowers("Transpose")
def transpose(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Transpose: another view."""
    view = lowering.view(node.inputs[0])
    order = node.attributes.get_ints("perm", list(reversed(range(view.rank))))
    lowering.bind(node.outputs[0], view.permuted(tuple(order)))


@lowers("Squeeze")
def squeeze(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Squeeze."""
    view = lowering.view(node.inputs[0])
    axes = lowering.setting(node, 1, "axes")
    places = (
        {n for n, size in enumerate(view.shape) if size == 1 and n not in view.batched}
        if axes is None
        else {axis % view.rank for axis in axes}
    )
    if any(view.shape[n] != 1 or n in view.batched for n in places):
        raise lowering.unsupported(node, "it drops a dimension of more than one entry")
    lowering.bind(node.outputs[0], view.squeezed(places))


@lowers("Unsqueeze")
def unsqueeze(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Unsqueeze."""
    view = lowering.view(node.inputs[0])
    axes = lowering.setting(node, 1, "axes")
    assert axes is not None
    rank = view.rank + len(axes)
    lowering.bind(node.outputs[0], view.expanded([axis % rank for axis in axes]))


@lowers("DepthToSpace")
def depth_to_space(node: ir.Node, lowering: Lowering) -> None:
    """Lower a DepthToSpace; LiteRT's has a pixel's place outermost (DCR)."""
    view = lowering.view(node.inputs[0])
    block = node.attributes.get_int("blocksize")
    image = lowering.channels_last(view)
    _, high, wide, deep = image.shape
    count = deep // block**2
    if node.attributes.get_string("mode", "DCR") == "CRD" and count > 1:
        image = _places_outermost(node, lowering, image, count, block**2)
    output = lowering.emit(
        "DEPTH_TO_SPACE", [image], Options("DepthToSpaceOptions", {"blockSize": block}),
        shape=(image.shape[0], high * block, wide * block, count), batched=image.batched,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View(output, _IMAGE))


@lowers("SpaceToDepth")
def space_to_depth(node: ir.Node, lowering: Lowering) -> None:
    """Lower a SpaceToDepth."""
    image = lowering.channels_last(lowering.view(node.inputs[0]))
    block = node.attributes.get_int("blocksize")
    batch, high, wide, deep = image.shape
    if node.attributes.get_string("mode", "DCR") == "CRD" and deep > 1:
        raise lowering.unsupported(node, "TFLite has a pixel's place outermost (DCR), not CRD")
    output = lowering.emit(
        "SPACE_TO_DEPTH", [image], Options("SpaceToDepthOptions", {"blockSize": block}),
        shape=(batch, high // block, wide // block, deep * block**2), batched=image.batched,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View(output, _IMAGE))


def _places_outermost(
    node: ir.Node, lowering: Lowering, image: Tensor, count: int, places: int
) -> Tensor:
    """Channels ``(count, places)`` as ``(places, count)``; by a convolution's weights if it can."""
    order = np.arange(count * places).reshape(count, places).T.reshape(-1)
    before = next((op for op in lowering.model.operators if image in op.outputs), None)
    value = node.inputs[0]
    alone = value is not None and len(value.uses()) == 1 and not value.is_graph_output()
    if before is not None and alone and _permute(before, order):
        return image
    shape = (*image.shape[:3], count, places)
    split = lowering.reshaped_tensor(image, shape, image.batched)
    moved = lowering.stored(View.of(split), (0, 1, 2, 4, 3))
    return lowering.reshaped_tensor(moved, image.shape, image.batched)


def _permute(op: Operator, order: np.ndarray) -> bool:
    """Put the output channels of a convolution in another order; whether it is one."""
    if op.code != "CONV_2D":
        return False
    for place in (1, 2):
        tensor = op.inputs[place]
        if tensor is None or tensor.data is None or tensor.quantization is not None:
            return False
    for place in (1, 2):
        tensor = op.inputs[place]
        assert tensor is not None
        assert tensor.data is not None
        op.inputs[place] = Tensor(tensor.name, tensor.dtype, tensor.shape, data=tensor.data[order])
    return True


def _target(wanted: list[int], have: tuple[int, ...], *, zero: bool) -> tuple[int, ...]:
    """A Reshape's shape with its 0 and -1 resolved."""
    found = [have[n] if d == 0 and zero else int(d) for n, d in enumerate(wanted)]
    if -1 in found:
        rest = math.prod(d for d in found if d != -1)
        found[found.index(-1)] = math.prod(have) // rest if rest else 0
    # A batch that the exporter wrote as 1 into a constant shape.
    if math.prod(found) * MANY == math.prod(have) and found and found[0] == 1:
        found[0] = MANY
    return tuple(found)
