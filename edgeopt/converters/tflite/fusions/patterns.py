"""Reading a graph backwards: who made a value, and by which constant."""

from __future__ import annotations

import numpy as np

from edgeopt.core.ir import ir


def made_by(value: ir.Value | None, *kinds: str) -> ir.Node | None:
    """The node that made a value, if it is of one of these kinds and nothing else reads it."""
    node = None if value is None else value.producer()
    if value is None or node is None or node.op_type not in kinds or node.domain:
        return None
    return node if len(value.uses()) == 1 and not value.is_graph_output() else None


def number(value: ir.Value | None) -> float | None:
    """A constant of one element; None of anything else."""
    if value is None or value.const_value is None or value.const_value.size != 1:
        return None
    return float(np.asarray(value.const_value.numpy()).reshape(-1)[0])


def with_number(node: ir.Node, wanted: float) -> ir.Value | None:
    """The other operand of an operator of two, one of which is a number; None if it isn't."""
    left, right = node.inputs[0], node.inputs[1]
    for value, other in ((left, right), (right, left)):
        found = number(other)
        if found is not None and np.isclose(found, wanted, rtol=1e-5, atol=0):
            return value
    return None


def replaced(graph: ir.Graph, node: ir.Node, op_type: str, source: ir.Value, **fields: str) -> None:
    """Put one node of one input in the place of what made a node's output."""
    attributes = [ir.AttrString(name, value) for name, value in fields.items()]
    made = ir.Node("", op_type, [source], attributes=attributes, name=node.name, num_outputs=1)
    old, new = node.outputs[0], made.outputs[0]
    new.name, new.shape, new.type = old.name, old.shape, old.type
    graph.insert_before(node, made)
    if old.is_graph_output():
        for place, output in enumerate(graph.outputs):
            if output is old:
                graph.outputs[place] = new
    for user, index in tuple(old.uses()):
        user.replace_input_with(index, new)
    graph.remove(node, safe=False)
