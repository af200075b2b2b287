"""New constants and nodes in a graph."""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from edgeopt.core.ir import ir


def add_constant(graph: ir.Graph, name: str, array: np.ndarray) -> ir.Value:
    """An initializer of that name; the one that is there, if one is."""
    if name in graph.initializers:
        return graph.initializers[name]
    tensor = ir.Tensor(np.asarray(array), name=name)
    kind, shape = ir.TensorType(tensor.dtype), ir.Shape(np.shape(array))
    value = ir.Value(name=name, const_value=tensor, type=kind, shape=shape)
    graph.register_initializer(value)
    return value


def free_name(taken: Container[str], name: str) -> str:
    """``name``, or ``name_2``, ``name_3`` and so on where it is taken."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free


def replace_node(graph: ir.Graph, node: ir.Node, nodes: list[ir.Node]) -> None:
    """Put nodes in a node's place; the last one's output takes over its output's name and uses."""
    old, new = node.outputs[0], nodes[-1].outputs[0]
    new.name, old.name = old.name, f"{old.name}_before"
    new.type, new.shape = old.type, old.shape
    graph.insert_before(node, nodes)
    old.replace_all_uses_with(new, replace_graph_outputs=True)
    graph.remove(node, safe=True)
