"""Concat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import places_of
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


MOST_JOINED = 5
"""What XNNPACK joins at once."""


@lowers("Concat", since=4)
def concat(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Concat, in the order in which its largest operand is stored."""
    views = [lowering.view(value) for value in node.inputs]
    axis = node.attributes.get_int("axis") % views[0].rank
    whole = [view for view in views if view.shape[axis]] or views[:1]
    if len({axis in view.batched for view in whole}) > 1:
        raise lowering.unsupported(
            node, "it joins the batch with something else", "fix the batch with --input"
        )
    lowering.bind(node.outputs[0], joined(lowering, whole, axis))


def joined(lowering: Lowering, views: list[View], axis: int) -> View:
    """Values one behind the other along an axis."""
    if len(views) == 1:
        return views[0]
    largest = max(views, key=lambda v: (not v.tensor.constant, np.prod(v.shape)))
    order = largest.storage_order() or tuple(range(largest.rank))
    tensors = [lowering.stored(view, order) for view in views]
    place = order.index(axis)
    return View(_concatenated(lowering, tensors, place), places_of(order))


def _concatenated(lowering: Lowering, tensors: list[Tensor], place: int) -> Tensor:
    """At most five at a time; what was joined before, as in a DenseNet, isn't joined again."""
    for count in range(len(tensors) - 1, 1, -1):
        before = lowering.joined.get((tuple(tensors[:count]), place))
        if before is not None:
            tensors = [before, *tensors[count:]]
            break
    whole = tuple(tensors)
    while len(tensors) > MOST_JOINED:
        tensors = [_once(lowering, tensors[:MOST_JOINED], place), *tensors[MOST_JOINED:]]
    output = _once(lowering, tensors, place)
    lowering.joined[whole, place] = output
    return output


def _once(lowering: Lowering, tensors: list[Tensor], place: int) -> Tensor:
    shape = list(tensors[0].shape)
    shape[place] = sum(t.shape[place] for t in tensors)
    return lowering.emit(
        "CONCATENATION", [*tensors], Options("ConcatenationOptions", {"axis": place}),
        shape=tuple(shape), batched=frozenset(n for t in tensors for n in t.batched),
    )  # fmt: skip
