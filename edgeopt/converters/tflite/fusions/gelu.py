"""GELU as exporters spell it: by Erf, or by Tanh."""

from __future__ import annotations

import math

from edgeopt.converters.tflite.fusions.patterns import made_by, number, replaced, with_number
from edgeopt.core.ir import ir

_CUBIC = 0.044715
_ROOT = math.sqrt(2 / math.pi)


def fuse_gelu(graph: ir.Graph) -> None:
    """Replace ``x * 0.5 * (1 + erf(x / sqrt(2)))``, in any order, and its form by tanh, by Gelu."""
    for node in list(graph):
        if node.op_type in ("Erf", "Tanh") and not node.domain:
            found = _product(node)
            if found is not None:
                last, source, kind = found
                replaced(graph, last, "Gelu", source, approximate=kind)


def _product(node: ir.Node) -> tuple[ir.Node, ir.Value, str] | None:
    """The last node of the pattern around an Erf or Tanh, x, and which approximation it is."""
    exact = node.op_type == "Erf"
    source = _scaled(node.inputs[0]) if exact else _cubed(node.inputs[0])
    plus = _only_reader(node.outputs[0])
    if source is None or plus is None or plus.op_type != "Add" or with_number(plus, 1) is None:
        return None
    halved, by_source, value = False, False, plus.outputs[0]
    last: ir.Node | None = None
    for _ in range(2):
        after = _only_reader(value)
        if after is None or after.op_type != "Mul":
            return None
        other = after.inputs[1] if after.inputs[0] is value else after.inputs[0]
        if number(other) == 0.5 and not halved:
            halved = True
        elif other is source and not by_source:
            by_source = True
        elif not halved and not by_source and _half(other) is source:
            return after, source, "none" if exact else "tanh"
        else:
            return None
        last, value = after, after.outputs[0]
    assert last is not None
    return last, source, "none" if exact else "tanh"


def _only_reader(value: ir.Value) -> ir.Node | None:
    uses = value.uses()
    return next(iter(uses)).node if len(uses) == 1 and not value.is_graph_output() else None


def _half(value: ir.Value | None) -> ir.Value | None:
    node = made_by(value, "Mul", "Div")
    if node is None:
        return None
    return with_number(node, 0.5) if node.op_type == "Mul" else _divided(node, 2)


def _divided(node: ir.Node, by: float) -> ir.Value | None:
    found = number(node.inputs[1])
    return node.inputs[0] if found is not None and math.isclose(found, by, rel_tol=1e-5) else None


def _scaled(value: ir.Value | None) -> ir.Value | None:
    """The x of ``x / sqrt(2)``."""
    node = made_by(value, "Div", "Mul")
    if node is None:
        return None
    root = math.sqrt(2)
    return _divided(node, root) if node.op_type == "Div" else with_number(node, 1 / root)


def _cubed(value: ir.Value | None) -> ir.Value | None:
    """The x of ``sqrt(2 / pi) * (x + 0.044715 * x**3)``."""
    outer = made_by(value, "Mul")
    total = None if outer is None else made_by(with_number(outer, _ROOT), "Add")
    if total is None:
        return None
    for source, other in (tuple(total.inputs), tuple(total.inputs)[::-1]):
        part = made_by(other, "Mul")
        power = None if part is None else made_by(with_number(part, _CUBIC), "Pow")
        if power is not None and power.inputs[0] is source and number(power.inputs[1]) == 3:
            return source
    return None
