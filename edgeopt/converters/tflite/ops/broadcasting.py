"""Expand, Tile and ConstantOfShape: repeating values, for each entry of the batch too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined
from edgeopt.converters.tflite.model import MANY, Options
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.repeating import repeated
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Expand", since=8)
def expand(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Expand."""
    view = lowering.view(node.inputs[0])
    known = lowering.known(node.inputs[1])
    if known is None:
        raise lowering.unsupported(node, "its shape is computed when the model runs")
    one, many = (tuple(int(d) for d in sizes) for sizes in (known.one, known.many))
    lowering.bind(node.outputs[0], expanded_to(lowering, node, view, one, many))


@lowers("ConstantOfShape", since=9)
def constant_of_shape(node: ir.Node, lowering: Lowering) -> None:
    """Lower a ConstantOfShape that is too large to be computed ahead for many entries."""
    known = lowering.known(node.inputs[0])
    if known is None:
        raise lowering.unsupported(node, "its shape is computed when the model runs")
    value = node.attributes.get("value")
    fill = np.zeros(1, np.float32) if value is None else value.as_tensor().numpy()
    one, many = (tuple(int(d) for d in sizes) for sizes in (known.one, known.many))
    number = View.of(lowering.constant_tensor(fill.reshape(()), "fill"))
    lowering.bind(node.outputs[0], expanded_to(lowering, node, number, one, many))


@lowers("Tile", since=6)
def tile(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Tile; along an axis of size 1 it is an Expand, for each entry of the batch too."""
    view = lowering.view(node.inputs[0])
    known = lowering.known(node.inputs[1])
    if known is None:
        raise lowering.unsupported(node, "its repeats are computed when the model runs")
    one, many = ([int(d) for d in sizes] for sizes in (known.one, known.many))
    grown = [n for n, (a, b) in enumerate(zip(one, many, strict=True)) if a != b]
    for axis in grown:
        if many[axis] != MANY or view.shape[axis] != 1 or view.batched:
            raise lowering.unsupported(
                node, "its repeats depend on the size of the batch", "fix the batch with --input"
            )
        view = repeated(lowering, view, axis)
        one[axis] = 1
    if any(d != 1 for d in one):
        order = view.storage_order() or tuple(range(view.rank))
        tensor = lowering.stored(view, order)
        times = [one[n] for n in order]
        output = lowering.emit(
            "TILE", [tensor, lowering.indices(times, "times")], Options("TileOptions"),
            shape=tuple(d * t for d, t in zip(tensor.shape, times, strict=True)),
            batched=tensor.batched,
        )  # fmt: skip
        view = View(output, tuple((order.index(n),) for n in range(view.rank)))
    lowering.bind(node.outputs[0], view)


def expanded_to(
    lowering: Lowering, node: ir.Node, view: View, one: tuple[int, ...], many: tuple[int, ...]
) -> View:
    """A value broadcast with a shape, given at batch 1 and at a batch of ``MANY``."""
    wide = view.expanded(list(range(max(len(one) - view.rank, 0))))
    try:
        shape = np.broadcast_shapes(wide.shape, one)
        grown = np.broadcast_shapes(many_shape(wide), many)
    except ValueError as error:
        raise lowering.unsupported(node, f"its shapes don't broadcast: {error}") from error
    if math.prod(shape) >= 2**31:
        raise lowering.unsupported(
            node, f"what it gives has {math.prod(shape)} elements; TFLite counts to 2^31"
        )
    already = many_shape(wide)
    for axis, (a, b) in enumerate(zip(shape, grown, strict=True)):
        if a != b and already[axis] == 1:
            if b != MANY:
                raise lowering.unsupported(
                    node, "its shape depends on the size of the batch", "fix the batch with --input"
                )
            wide = repeated(lowering, wide, axis)
    if wide.shape == shape:
        return wide
    if wide.tensor.dtype == np.float32 and not wide.tensor.constant:
        return _added_to_zeros(lowering, wide, shape)
    # BROADCAST_TO would take the size of the batch as data; TILE only multiplies.
    tensor = lowering.plain(wide)
    times = [a // b for a, b in zip(shape, wide.shape, strict=True)]
    output = lowering.emit(
        "TILE", [tensor, lowering.indices(times, "times")], Options("TileOptions"),
        shape=tuple(shape), batched=tensor.batched,
    )  # fmt: skip
    return View.of(output)


def _added_to_zeros(lowering: Lowering, view: View, shape: tuple[int, ...]) -> View:
    """Floats repeated along their axes of size 1 by an ADD: XNNPACK has no TILE."""
    grown = [1 if a == b else a for a, b in zip(shape, view.shape, strict=True)]
    zeros = lowering.constant_tensor(np.zeros(grown, np.float32), "zeros")
    return combined(lowering, "ADD", [view, View.of(zeros)], Options("AddOptions"))
