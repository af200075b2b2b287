"""Operators that can work on what is stored: what changes about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from edgeopt.converters.reordering.stored import Stored
from edgeopt.converters.reordering.views import Order, View, dims, inverse, without
from edgeopt.core.ir import convenience, ir

Rule = Callable[[Stored, ir.Node], bool]
"""Changes a node; False if it can't be done, with nothing changed."""


def _elementwise(values: Stored, node: ir.Node) -> bool:
    """Any number of operands that broadcast; all of them are brought to the largest one's order."""
    operands = [v for v in node.inputs if v is not None]
    order = _chosen([values.view(v) for v in operands if convenience.get_const_tensor(v) is None])
    return order is not None and _reorder(values, node, order, range(len(node.inputs)))


def _first(values: Stored, node: ir.Node) -> bool:
    """Operators of one tensor; their other inputs are numbers."""
    order = _order(values, node)
    return _reorder(values, node, order, (0,))


def _concat(values: Stored, node: ir.Node) -> bool:
    order = _chosen([values.view(v) for v in node.inputs if v is not None])
    if order is None or not _reorder(values, node, order, range(len(node.inputs))):
        return False
    _set_axis(node, order)
    return True


def _along(values: Stored, node: ir.Node) -> bool:
    """Operators with one ``axis``."""
    order = _order(values, node)
    if not _reorder(values, node, order, (0,)):
        return False
    _set_axis(node, order, default=-1 if "oftmax" in node.op_type else 0)
    return True


def _arg(values: Stored, node: ir.Node) -> bool:
    order = _order(values, node)
    axis = _axis(node, len(order), 0)
    kept = _int(node, "keepdims", 1)
    left = order if kept else without(order, (axis,))
    if not _reorder(values, node, order, (0,), left):
        return False
    _set_axis(node, order)
    return True


def _reduce(values: Stored, node: ir.Node) -> bool:
    order, kept = _order(values, node), _int(node, "keepdims", 1)
    axes = _constant_axes(node, 1, len(order))
    if axes is None:
        return False
    left = order if kept else without(order, axes)
    if not _reorder(values, node, order, (0,), left):
        return False
    _set_axes(values, node, 1, [order[axis] for axis in axes])
    return True


def _squeeze(values: Stored, node: ir.Node) -> bool:
    order = _order(values, node)
    axes = _constant_axes(node, 1, len(order))
    if axes is None or not _reorder(values, node, order, (0,), without(order, axes)):
        return False
    _set_axes(values, node, 1, sorted(order[axis] for axis in axes))
    return True


def _unsqueeze(values: Stored, node: ir.Node) -> bool:
    """A new axis is stored before the one that it stands before."""
    order = _order(values, node)
    axes = _constant_axes(node, 1, len(order) + _count(node, 1))
    if axes is None or len(axes) != 1:
        return False
    axis = axes[0]
    place = order[axis] if axis < len(order) else len(order)
    moved = [old + (old >= place) for old in order]
    new = (*moved[:axis], place, *moved[axis:])
    if not _reorder(values, node, order, (0,), new):
        return False
    _set_axes(values, node, 1, [place])
    return True


def _slice(values: Stored, node: ir.Node) -> bool:
    order = _order(values, node)
    starts = _array(node, 1)
    if starts is None:
        return False
    axes = _constant_axes(node, 3, len(order)) if len(node.inputs) > 3 and node.inputs[3] else None
    axes = list(range(len(starts))) if axes is None and len(node.inputs) < 4 else axes
    if axes is None or not _reorder(values, node, order, (0,)):
        return False
    _set_axes(values, node, 3, [order[axis] for axis in axes])
    return True


def _pad(values: Stored, node: ir.Node) -> bool:
    order, pads = _order(values, node), _array(node, 1)
    if pads is None or (len(node.inputs) > 3 and node.inputs[3] is not None):
        return False
    if not _reorder(values, node, order, (0,)):
        return False
    both = pads.reshape(2, -1)[:, list(inverse(order))].reshape(-1)
    node.replace_input_with(1, values.constant(both, f"{node.name}/pads"))
    return True


def _by_axis(values: Stored, node: ir.Node) -> bool:
    """Operators whose other inputs hold a number for each axis."""
    order = _order(values, node)
    others = range(1, len(node.inputs))
    arrays = {place: _array(node, place) for place in others if node.inputs[place] is not None}
    if "axes" in node.attributes or any(a is None for a in arrays.values()):
        return False
    if not _reorder(values, node, order, (0,)):
        return False
    for place, array in arrays.items():
        if array is not None and len(array) == len(order):
            moved = array[list(inverse(order))]
            node.replace_input_with(place, values.constant(moved, f"{node.name}/by_axis"))
    return True


def _flatten(values: Stored, node: ir.Node) -> bool:
    """``(N, ...)`` to ``(N, K)`` before dense layers only: their rows change places instead."""
    value = node.inputs[0]
    assert value is not None
    view = values.view(value)
    sizes, target = dims(view.stored), _array(node, 1)
    if sizes is None or view.order[0] != 0 or None in sizes[1:]:
        return False
    rows = prod(d for d in sizes[1:] if d is not None)
    if node.op_type == "Reshape" and (target is None or len(target) != 2 or target[1] != rows):
        return False
    dense = [user for user, _ in node.outputs[0].uses()]
    if not dense or node.outputs[0].is_graph_output() or not all(_dense(u, node) for u in dense):
        return False
    logical = [sizes[axis] for axis in view.order[1:]]
    places = np.arange(rows).reshape(logical)  # type: ignore[arg-type]  # all are known
    moved = places.transpose([axis - 1 for axis in inverse(view.order)[1:]]).reshape(-1)
    node.replace_input_with(0, view.stored)
    for user in dense:
        weight = user.inputs[1]
        assert weight is not None
        tensor = convenience.get_const_tensor(weight)
        assert tensor is not None
        user.replace_input_with(
            1, values.constant(_rows(user, tensor.numpy(), moved), weight.name or "")
        )
    return True


def _rows(dense: ir.Node, weight: np.ndarray, moved: np.ndarray) -> np.ndarray:
    across = dense.op_type == "Gemm" and _int(dense, "transB", 0)
    return np.ascontiguousarray(weight[:, moved] if across else weight[moved])


def _dense(user: ir.Node, flat: ir.Node) -> bool:
    if user.op_type not in ("MatMul", "Gemm") or user.inputs[0] is not flat.outputs[0]:
        return False
    weight = user.inputs[1]
    constant = weight is not None and convenience.get_const_tensor(weight) is not None
    return constant and len(weight.shape or ()) == 2 and not _int(user, "transA", 0)  # type: ignore[union-attr]


def _reorder(
    values: Stored,
    node: ir.Node,
    order: Order,
    places: Sequence[int] | range,
    left: Order | None = None,
) -> bool:
    """Give a node its operands in an order; its outputs are then in the same, or ``left``."""
    new: dict[int, ir.Value] = {}
    for place in places:
        value = node.inputs[place]
        if value is None:
            continue
        found = values.in_order(value, order)
        if found is None:
            return False
        new[place] = found
    for place, value in new.items():
        node.replace_input_with(place, value)
    for output in node.outputs:
        values.bind(output, order if left is None else left)
    return True


def _chosen(views: Sequence[View]) -> Order | None:
    """The order of the largest operand; None where ranks differ."""
    views = [view for view in views if view.order]
    if len({len(view.order) for view in views}) != 1:
        return None
    sizes = [prod(d or 1 for d in dims(view.stored) or ()) for view in views]
    largest = [view for view, size in zip(views, sizes, strict=True) if size == max(sizes)]
    moved = [view for view in largest if not view.plain]
    return (moved or largest)[0].order


def _order(values: Stored, node: ir.Node) -> Order:
    assert node.inputs[0] is not None
    return values.view(node.inputs[0]).order


def _int(node: ir.Node, name: str, default: int) -> int:
    attribute = node.attributes.get(name)
    return default if attribute is None else attribute.as_int()


def _axis(node: ir.Node, rank: int, default: int) -> int:
    return _int(node, "axis", default) % rank


def _set_axis(node: ir.Node, order: Order, default: int = 0) -> None:
    node.attributes["axis"] = ir.AttrInt64("axis", order[_axis(node, len(order), default)])


def _array(node: ir.Node, place: int) -> np.ndarray | None:
    value = node.inputs[place] if place < len(node.inputs) else None
    tensor = None if value is None else convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy().reshape(-1)


def _count(node: ir.Node, place: int) -> int:
    array = _array(node, place)
    return 0 if array is None else len(array)


def _constant_axes(node: ir.Node, place: int, rank: int) -> list[int] | None:
    """Axes from an input or an attribute, counted from 0; None if they aren't known."""
    attribute = node.attributes.get("axes")
    array = np.array(attribute.as_ints()) if attribute is not None else _array(node, place)
    return None if array is None or not rank else [int(axis) % rank for axis in array]


def _set_axes(values: Stored, node: ir.Node, place: int, axes: Sequence[int]) -> None:
    if "axes" in node.attributes:
        node.attributes["axes"] = ir.AttrInt64s("axes", list(axes))
        return
    if place >= len(node.inputs):
        node.resize_inputs(place + 1)
    node.replace_input_with(place, values.constant(np.array(axes, np.int64), f"{node.name}/axes"))


_ONE = (
    "Relu Clip Sigmoid Tanh Erf Exp Log Sqrt Neg Abs Cast Identity LeakyRelu Elu HardSigmoid "
    "HardSwish Softplus Softsign Floor Ceil Round Sin Cos Gelu Mish Reciprocal Not Selu "
    "ThresholdedRelu Sign"
)
_MANY = (
    "Add Sub Mul Div Pow Max Min Sum Where PRelu And Or Equal Less LessOrEqual Greater "
    "GreaterOrEqual"
)
_REDUCTIONS = (
    "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare "
    "ReduceLogSumExp"
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_ONE.split(), _first),
    **dict.fromkeys(_MANY.split(), _elementwise),
    **dict.fromkeys(_REDUCTIONS.split(), _reduce),
    "Concat": _concat,
    "Softmax": _along,
    "LogSoftmax": _along,
    "Split": _along,
    "ArgMax": _arg,
    "ArgMin": _arg,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Slice": _slice,
    "Pad": _pad,
    "Tile": _by_axis,
    "Resize": _by_axis,
    "Reshape": _flatten,
    "Flatten": _flatten,
}
"""By ONNX's name of the operator."""
