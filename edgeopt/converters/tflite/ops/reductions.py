"""Reductions over axes, and the places of extremes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_CODES = {
    "ReduceMean": "MEAN",
    "ReduceSum": "SUM",
    "ReduceMax": "REDUCE_MAX",
    "ReduceMin": "REDUCE_MIN",
    "ReduceProd": "REDUCE_PROD",
}


@lowers(*_CODES)
def reduction(node: ir.Node, lowering: Lowering) -> None:
    """Lower a reduction."""
    view = lowering.view(node.inputs[0])
    axes = reduced_axes(node, lowering, view.rank)
    keep = bool(node.attributes.get_int("keepdims", 1))
    nothing = node.attributes.get_int("noop_with_empty_axes", 0)
    if nothing and not axes:
        lowering.bind(node.outputs[0], view)
        return
    code = _CODES[node.op_type]
    lowering.bind(
        node.outputs[0], reduced(lowering, view, axes or range(view.rank), code, keep=keep)
    )


@lowers("ArgMax", "ArgMin")
def extreme_place(node: ir.Node, lowering: Lowering) -> None:
    """Lower an ArgMax or ArgMin; of equal values the first."""
    if node.attributes.get_int("select_last_index", 0):
        raise lowering.unsupported(node, "TFLite gives the first of equal values, not the last")
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    tensor = lowering.plain(view)
    kind, word = ("ArgMax", "ARG_MAX") if node.op_type == "ArgMax" else ("ArgMin", "ARG_MIN")
    shape = tuple(d for n, d in enumerate(tensor.shape) if n != axis)
    grows = frozenset(n - (n > axis) for n in tensor.batched if n != axis)
    options = Options(f"{kind}Options", {"outputType": 4})  # the schema's INT64
    place = lowering.constant_tensor(np.array(axis, np.int32), "axis")
    output = lowering.emit(
        word, [tensor, place], options, shape=shape, batched=grows, dtype=np.int64
    )
    result = View.of(output)
    keep = node.attributes.get_int("keepdims", 1)
    lowering.bind(node.outputs[0], result.expanded([axis]) if keep else result)


def reduced_axes(node: ir.Node, lowering: Lowering, rank: int) -> list[int]:
    """A reduction's axes: an input from opset 13 or 18 on, an attribute before."""
    given = lowering.constant(node, 1)
    axes = node.attributes.get_ints("axes", []) if given is None else given.reshape(-1).tolist()
    return [int(axis) % rank for axis in axes]


def reduced(lowering: Lowering, view: View, axes: Iterable[int], code: str, *, keep: bool) -> View:
    """A value reduced over some axes, wherever they are stored."""
    gone = set(axes)
    order = view.storage_order() or tuple(range(view.rank))
    tensor = lowering.stored(view, order)
    places = sorted(order.index(axis) for axis in gone)
    shape = tuple(1 if n in places else d for n, d in enumerate(tensor.shape))
    options = Options("ReducerOptions", {"keepDims": True})
    output = lowering.emit(
        code, [tensor, lowering.indices(places)], options,
        shape=shape, batched=tensor.batched - set(places),
    )  # fmt: skip
    result = View(output, tuple((order.index(n),) for n in range(view.rank)))
    return result if keep else result.squeezed(gone)
