"""TensorFlow's GELU with the complementary error function, as everybody else spells it."""

from __future__ import annotations

from edgeopt.converters.editing import replace_node
from edgeopt.core.ir import ir


def plain_erf(graph: ir.Graph) -> None:
    """Write ``1 - erf(-x * c)`` as ``1 + erf(x * c)``, which runtimes and fusions know.

    The two are the same number: erf is odd, and a sign is no rounding.
    """
    for node in list(graph):
        if node.op_type == "Sub" and not node.domain and _is_one(node.inputs[0]):
            _turn(graph, node)


def _turn(graph: ir.Graph, node: ir.Node) -> None:
    error = _maker(node.inputs[1], "Erf")
    scaled = _maker(error.inputs[0], "Mul") if error is not None else None
    if scaled is None:
        return
    for value, other in (tuple(scaled.inputs), tuple(scaled.inputs)[::-1]):
        negated = _maker(value, "Neg")
        if negated is not None:
            product = ir.node("Mul", [negated.inputs[0], other], name=scaled.name)
            erf = ir.node("Erf", product.outputs, name=error.name if error is not None else None)
            total = ir.node("Add", [erf.outputs[0], node.inputs[0]], name=node.name)
            replace_node(graph, node, [product, erf, total])
            return


def _maker(value: ir.Value | None, kind: str) -> ir.Node | None:
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type == kind and not node.domain else None


def _is_one(value: ir.Value | None) -> bool:
    constant = None if value is None else value.const_value
    return constant is not None and constant.size == 1 and bool((constant.numpy() == 1).all())
