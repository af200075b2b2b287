"""Putting in the place of an If the branch that is always taken.

Exporters leave choices in the graph that shapes and fixed inputs decide (``--input sr=16000``).
ONNX Runtime's constant folding puts branches in place as well, but loses track of what Ifs within
them read (seen in 1.32): it then refuses the graph, or the process dies. So this is done before it,
and where Ifs stay, constants are folded here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.evaluation import evaluate
from edgeopt.core.errors import EdgeOptError
from edgeopt.core.ir import ir, passes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_UNKNOWN = frozenset({"If", "Loop", "Scan", "RandomNormal", "RandomUniform", "Multinomial"})


def take_branches(model: ir.Model, name: str) -> None:
    """Replace every If whose condition doesn't depend on the inputs' values.

    Ensures that no If of the main graph is left whose condition follows from constants and from
    static shapes; and where one is left, that nothing of the main graph can be computed ahead.

    Args:
        model: Edited in place.
        name: The model's, for messages.
    """
    changed = True
    while changed and has_branches(model.graph):
        passes.ShapeInferencePass()(model)
        known = _known_values(model.graph, name)
        stored = _store(model.graph, known)  # shapes may follow from what it computes
        taken = [node for node in model.graph if _take(model.graph, node, known)]
        passes.NameFixPass()(model)
        changed = bool(stored or taken)


def has_branches(graph: ir.Graph) -> bool:
    """Whether a graph holds an If."""
    return any(node.op_type == "If" and not node.domain for node in graph)


def _store(graph: ir.Graph, known: dict[ir.Value, Array]) -> int:
    """Make constants of what is known; how many nodes that computed it are gone."""
    nodes = [
        node
        for node in graph
        if node.outputs and all(v in known and not v.is_graph_output() for v in node.outputs)
    ]
    for node in nodes:
        for value in node.outputs:
            tensor = ir.tensor(known[value], name=value.name)
            value.name = None
            made = ir.Value(
                name=tensor.name,
                type=ir.TensorType(tensor.dtype),
                shape=ir.Shape(tensor.shape.numpy()),
            )
            made.const_value = tensor
            graph.register_initializer(made)
            known[made] = known[value]
            ir.convenience.replace_all_uses_with(value, made)
        graph.remove(node, safe=True)
    return len(nodes)


def _take(graph: ir.Graph, node: ir.Node, known: dict[ir.Value, Array]) -> bool:
    """Replace one node if it is an If that is decided; True if it was."""
    if node.op_type != "If" or node.domain:
        return False
    condition = node.inputs[0]
    decided = None if condition is None else known.get(condition)
    if decided is None or decided.size != 1:
        return False
    branch = node.attributes["then_branch" if decided.reshape(-1)[0] else "else_branch"].as_graph()
    for initializer in list(branch.initializers.values()):
        del branch.initializers[initializer.name or ""]
        graph.register_initializer(initializer)
    inner, outputs = list(branch), list(branch.outputs)
    branch.outputs.clear()
    branch.remove(inner)
    graph.insert_before(node, inner)
    for old, new in zip(node.outputs, outputs, strict=True):
        _passed_on(graph, node, old, new)
    graph.remove(node, safe=True)
    return True


def _passed_on(graph: ir.Graph, node: ir.Node, old: ir.Value, new: ir.Value) -> None:
    """Give a branch's output, by an Identity, to whoever read the If's."""
    identity = ir.node("Identity", [new], name=f"{node.name}_{old.name}")
    made = identity.outputs[0]
    made.name, made.type = old.name, old.type
    made.shape = old.shape if old.is_graph_output() else None  # one branch may say more than both
    graph.insert_before(node, identity)
    ir.convenience.replace_all_uses_with(old, made, replace_graph_outputs=True)
    old.name = None


def _known_values(graph: ir.Graph, name: str) -> dict[ir.Value, Array]:
    """What can be computed of constants and static shapes."""
    found: dict[ir.Value, Array] = {}
    for value in graph.initializers.values():
        if value.const_value is not None:
            found[value] = np.asarray(value.const_value.numpy())
    for node in graph:
        if not node.domain and node.op_type not in _UNKNOWN:
            found.update(zip(node.outputs, _given(node, found, name), strict=False))
    return found


def _given(node: ir.Node, known: dict[ir.Value, Array], name: str) -> list[Array]:
    """A node's outputs, if all of its inputs are known; else none."""
    if node.op_type in ("Shape", "Size"):
        return _measured(node)
    read = [value for value in node.inputs if value is not None]
    if any(value not in known for value in read) or not (read or node.op_type == "Constant"):
        return []
    try:
        return evaluate(node, [None if v is None else known[v] for v in node.inputs], name)
    except EdgeOptError:
        return []  # whoever runs it will say what is wrong with it


def _measured(node: ir.Node) -> list[Array]:
    value = node.inputs[0]
    if value is None or value.shape is None:
        return []
    dims = list(value.shape)
    if node.op_type == "Shape":
        dims = dims[node.attributes.get_int("start", 0) : node.attributes.get_int("end", len(dims))]
    sizes = [d for d in dims if isinstance(d, int)]
    if len(sizes) < len(dims):
        return []
    return [np.array(np.prod(sizes) if node.op_type == "Size" else sizes, np.int64)]
