"""HardSwish as exporters spell it."""

from __future__ import annotations

import math

from edgeopt.converters.tflite.fusions.patterns import made_by, number, replaced, with_number
from edgeopt.core.ir import ir


def fuse_hard_swish(graph: ir.Graph) -> None:
    """Replace ``x * HardSigmoid(x)`` and ``x * clip(x + 3, 0, 6) / 6`` by HardSwish."""
    for node in list(graph):
        if node.domain:
            continue
        if node.op_type == "Mul":
            source = _by_sigmoid(node)
        elif node.op_type == "Div" and number(node.inputs[1]) == 6:
            source = _by_clip(made_by(node.inputs[0], "Mul"))
        else:
            continue
        if source is not None:
            replaced(graph, node, "HardSwish", source)


def _by_sigmoid(node: ir.Node) -> ir.Value | None:
    for source, other in (tuple(node.inputs), tuple(node.inputs)[::-1]):
        gate = made_by(other, "HardSigmoid", "Div", "Mul")
        if gate is None or source is None:
            continue
        if gate.op_type == "HardSigmoid":
            alpha = gate.attributes.get_float("alpha", 0.2)
            beta = gate.attributes.get_float("beta", 0.5)
            right = math.isclose(alpha, 1 / 6, rel_tol=1e-5) and beta == 0.5
            if right and gate.inputs[0] is source:
                return source
        else:
            inner = with_number(gate, 1 / 6) if gate.op_type == "Mul" else None
            inner = gate.inputs[0] if number(gate.inputs[1]) == 6 else inner
            if _clipped(made_by(inner, "Clip")) is source:
                return source
    return None


def _by_clip(node: ir.Node | None) -> ir.Value | None:
    if node is None:
        return None
    for source, other in (tuple(node.inputs), tuple(node.inputs)[::-1]):
        if source is not None and _clipped(made_by(other, "Clip")) is source:
            return source
    return None


def _clipped(node: ir.Node | None) -> ir.Value | None:
    """The x of ``clip(x + 3, 0, 6)``."""
    if node is None or len(node.inputs) < 3:
        return None
    if (number(node.inputs[1]), number(node.inputs[2])) != (0.0, 6.0):
        return None
    moved = made_by(node.inputs[0], "Add")
    return None if moved is None else with_number(moved, 3)
