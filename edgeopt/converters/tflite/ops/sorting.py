"""ArgMax, TopK, CumSum and Hardmax: what goes along one axis in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import cast, combined, mapped, number_like
from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import places_of
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_INT64 = 4
"""The schema's number of the type."""


@lowers("ArgMax", "ArgMin")
def extreme_place(node: ir.Node, lowering: Lowering) -> None:
    """Lower an ArgMax or ArgMin; of equal values the first, or the last of them reversed."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    last = bool(node.attributes.get_int("select_last_index", 0))
    result = _place(lowering, view, axis, node.op_type, last=last)
    keep = node.attributes.get_int("keepdims", 1)
    lowering.bind(node.outputs[0], result.expanded([axis]) if keep else result)


def _place(lowering: Lowering, view: View, axis: int, kind: str, *, last: bool = False) -> View:
    tensor = lowering.plain(view)
    word = "ARG_MAX" if kind == "ArgMax" else "ARG_MIN"
    if last:
        tensor = lowering.emit(
            "REVERSE_V2", [tensor, lowering.indices([axis])], Options("ReverseV2Options")
        )
    shape = tuple(d for n, d in enumerate(tensor.shape) if n != axis)
    grows = frozenset(n - (n > axis) for n in tensor.batched if n != axis)
    place = lowering.constant_tensor(np.array(axis, np.int32), "axis")
    found = View.of(
        lowering.emit(
            word, [tensor, place], Options(f"{kind}Options", {"outputType": _INT64}),
            shape=shape, batched=grows, dtype=np.int64,
        )
    )  # fmt: skip
    if not last:
        return found
    top = number_like(lowering, found, view.shape[axis] - 1)
    return combined(lowering, "SUB", [top, found])


@lowers("Hardmax", since=13)
def hardmax(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Hardmax: 1 at the first of the largest, 0 elsewhere."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", -1) % view.rank
    place = _place(lowering, view, axis, "ArgMax").expanded([axis])
    shape = tuple(view.shape[axis] if n == axis else 1 for n in range(view.rank))
    steps = np.arange(view.shape[axis], dtype=np.int64).reshape(shape)
    other = View.of(lowering.constant_tensor(steps, f"{node.name}/places"))
    same = combined(lowering, "EQUAL", [place, other], dtype=np.bool_)
    lowering.bind(node.outputs[0], cast(lowering, same, view.tensor.dtype))


@lowers("TopK", since=10)
def top_k(node: ir.Node, lowering: Lowering) -> None:
    """Lower a TopK; the smallest are the largest of what is negated."""
    view = lowering.view(node.inputs[0])
    count = lowering.constant(node, 1)
    assert count is not None
    k = int(count.reshape(-1)[0])
    axis = node.attributes.get_int("axis", -1) % view.rank
    largest = bool(node.attributes.get_int("largest", 1))
    if not largest and view.tensor.dtype != np.float32:
        raise lowering.unsupported(node, "TFLite doesn't give the smallest of integers")
    order = (*(n for n in range(view.rank) if n != axis), axis)
    source = view if largest else mapped(lowering, "NEG", view)
    tensor = lowering.stored(source, order)
    shape = (*tensor.shape[:-1], k)
    number = lowering.constant_tensor(np.array(k, np.int32), "k")
    values = lowering.emit(
        "TOPK_V2", [tensor, number], Options("TopKV2Options"), shape=shape, batched=tensor.batched
    )
    places = Tensor(f"{values.name}_places", np.dtype(np.int32), shape, tensor.batched)
    lowering.model.operators[-1].outputs.append(places)
    axes = places_of(order)
    found = View(values, axes)
    lowering.bind(node.outputs[0], found if largest else mapped(lowering, "NEG", found))
    if len(node.outputs) > 1:
        lowering.bind(node.outputs[1], cast(lowering, View(places, axes), np.int64))


@lowers("CumSum", since=11)
def cumulative_sum(node: ir.Node, lowering: Lowering) -> None:
    """Lower a CumSum."""
    view = lowering.view(node.inputs[0])
    given = lowering.constant(node, 1)
    assert given is not None
    axis = int(given.reshape(-1)[0]) % view.rank
    order = view.storage_order() or tuple(range(view.rank))
    tensor = lowering.stored(view, order)
    place = lowering.constant_tensor(np.array(order.index(axis), np.int32), "axis")
    fields = {
        "exclusive": bool(node.attributes.get_int("exclusive", 0)),
        "reverse": bool(node.attributes.get_int("reverse", 0)),
    }
    output = lowering.emit("CUMSUM", [tensor, place], Options("CumsumOptions", fields))
    lowering.bind(node.outputs[0], View(output, places_of(order)))
