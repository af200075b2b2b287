"""Moving transposes through a graph: each is carried along until an operator needs the real order.

What TensorFlow computes with channels last comes with a Transpose before each convolution and
another after it. Operators that don't care for the order take what is stored; the rest gets a
Transpose, once for all that need it. Going forward once is enough, and takes time proportional to
the graph's size.
"""

from __future__ import annotations

from edgeopt.converters.reordering.rules import RULES
from edgeopt.converters.reordering.stored import Stored
from edgeopt.converters.reordering.views import View
from edgeopt.core.ir import ir, passes


def move_transposes(model: ir.Model) -> None:
    """Leave those transposes only that something needs."""
    values = Stored(model.graph)
    for node in list(model.graph):
        values.at = node
        _pass(values, node)
    values.at = None
    _finish(values)
    passes.RemoveUnusedNodesPass()(model)


def _pass(values: Stored, node: ir.Node) -> None:
    if node.op_type == "Transpose" and not node.domain:
        _take(values, node)
    elif any(not values.view(v).plain for v in node.inputs if v is not None):
        rule = None if node.domain else RULES.get(node.op_type)
        if rule is None or not rule(values, node):
            _materialize(values, node)
    else:
        _alias(values, node)


def _take(values: Stored, node: ir.Node) -> None:
    (value,) = node.inputs
    assert value is not None
    view = values.view(value)
    given = node.attributes.get("perm")
    rank = len(view.order)
    order = tuple(given.as_ints()) if given is not None else tuple(range(rank))[::-1]
    if rank != len(order):  # its rank isn't known
        _materialize(values, node)
        return
    values.views[node.outputs[0]] = View(view.stored, tuple(view.order[axis] for axis in order))


def _alias(values: Stored, node: ir.Node) -> None:
    for place, value in enumerate(node.inputs):
        if value is not None and value in values.views:
            node.replace_input_with(place, values.view(value).stored)


def _materialize(values: Stored, node: ir.Node) -> None:
    for place, value in enumerate(node.inputs):
        if value is not None and value in values.views:
            view = values.view(value)
            node.replace_input_with(place, values.transposed(view.stored, view.order))


def _finish(values: Stored) -> None:
    for place, value in enumerate(values.graph.outputs):
        if value not in values.views:
            continue
        view = values.view(value)
        made = values.transposed(view.stored, view.order)
        if made is value or made in values.graph.outputs or made in values.graph.inputs:
            continue
        name = value.name
        value.name = f"{name}/stored"
        made.name = name
        made.type = value.type
        values.graph.outputs[place] = made
