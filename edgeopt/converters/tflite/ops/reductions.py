"""Reductions over axes, and the places of extremes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined, mapped, with_number
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
_OF_BOOLS = {"REDUCE_MAX": "REDUCE_ANY", "REDUCE_MIN": "REDUCE_ALL"}


@lowers(*_CODES)
def reduction(node: ir.Node, lowering: Lowering) -> None:
    """Lower a reduction."""
    view = lowering.view(node.inputs[0])
    axes = reduced_axes(node, lowering, view.rank)
    keep = bool(node.attributes.get_int("keepdims", 1))
    if not axes and axes is not None:
        lowering.bind(node.outputs[0], view)
        return
    code = _CODES[node.op_type]
    if view.tensor.dtype == np.bool_:
        code = _OF_BOOLS.get(code, code)
    if 0 in view.shape and code not in ("SUM", "MEAN"):
        raise lowering.unsupported(node, "it reduces no elements at all")
    gone = range(view.rank) if axes is None else axes
    lowering.bind(node.outputs[0], reduced(lowering, view, gone, code, keep=keep))


@lowers("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")
def composed_reduction(node: ir.Node, lowering: Lowering) -> None:
    """Lower a reduction of what was mapped, which is mapped again."""
    view = lowering.view(node.inputs[0])
    axes = reduced_axes(node, lowering, view.rank)
    keep = bool(node.attributes.get_int("keepdims", 1))
    gone = range(view.rank) if axes is None else axes
    kind = node.op_type
    if kind == "ReduceLogSumExp" and view.tensor.dtype == np.float32 and 0 not in view.shape:
        lowering.bind(node.outputs[0], _log_sum_exp(lowering, view, gone, keep=keep))
        return
    if kind == "ReduceL1":
        view = mapped(lowering, "ABS", view)
    elif kind in ("ReduceL2", "ReduceSumSquare"):
        view = combined(lowering, "MUL", [view, view])
    elif kind == "ReduceLogSumExp":
        view = mapped(lowering, "EXP", view)
    if gone:
        view = reduced(lowering, view, gone, "SUM", keep=keep)
    if kind == "ReduceL2":
        view = mapped(lowering, "SQRT", view)
    elif kind.startswith("ReduceLog"):
        view = mapped(lowering, "LOG", view)
    lowering.bind(node.outputs[0], view)


def reduced_axes(node: ir.Node, lowering: Lowering, rank: int) -> list[int] | None:
    """A reduction's axes: an input from opset 13 or 18 on, an attribute before.

    Returns:
        None for all of them.
    """
    given = lowering.constant(node, 1)
    axes = node.attributes.get_ints("axes", []) if given is None else given.reshape(-1).tolist()
    if axes:
        return [int(axis) % rank for axis in axes]
    return [] if node.attributes.get_int("noop_with_empty_axes", 0) else None


def reduced(lowering: Lowering, view: View, axes: Iterable[int], code: str, *, keep: bool) -> View:
    """A value reduced over some axes, wherever they are stored."""
    gone = set(axes)
    places = sorted(place for axis in gone for place in view.axes[axis])
    tensor = view.tensor
    shape = tuple(1 if n in places else d for n, d in enumerate(tensor.shape))
    result = view
    if places:
        output = lowering.emit(
            code, [tensor, lowering.indices(places)], Options("ReducerOptions", {"keepDims": True}),
            shape=shape, batched=tensor.batched - set(places),
        )  # fmt: skip
        result = view.at(output)
    return result if keep else result.squeezed(gone)


def _log_sum_exp(lowering: Lowering, view: View, gone: Iterable[int], *, keep: bool) -> View:
    """``max + log(sum(exp(x - max)))``, which doesn't overflow."""
    gone = list(gone)
    most = reduced(lowering, view, gone, "REDUCE_MAX", keep=True)
    # Where the largest is infinite, nothing is subtracted.
    most = with_number(lowering, "MAXIMUM", most, float(np.finfo(np.float32).min))
    most = with_number(lowering, "MINIMUM", most, float(np.finfo(np.float32).max))
    powers = mapped(lowering, "EXP", combined(lowering, "SUB", [view, most]))
    total = mapped(lowering, "LOG", reduced(lowering, powers, gone, "SUM", keep=True))
    found = combined(lowering, "ADD", [total, most])
    return found if keep else found.squeezed(set(gone))
