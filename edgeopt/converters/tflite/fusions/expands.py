"""Expands that the operators behind do themselves."""

from __future__ import annotations

from edgeopt.core.ir import ir

_BROADCASTING = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min", "Where"})


def fuse_expands(graph: ir.Graph) -> None:
    """Take away an Expand where all that reads it broadcasts to the very same shape without it.

    So exporters write the division by a norm. LiteRT's TILE is outside of XNNPACK.
    """
    for node in list(graph):
        if node.op_type != "Expand" or node.domain:
            continue
        source, output = node.inputs[0], node.outputs[0]
        if source is None or output.is_graph_output():
            continue
        if all(_broadcasts(use.node, use.idx, source) for use in output.uses()):
            for user, index in tuple(output.uses()):
                user.replace_input_with(index, source)
            graph.remove(node, safe=True)


def _broadcasts(user: ir.Node, index: int, source: ir.Value) -> bool:
    """Whether an operator gives what it gave with its operand unexpanded."""
    if user.domain or user.op_type not in _BROADCASTING:
        return False
    wanted = _sizes(user.outputs[0])
    others = [_sizes(v) for n, v in enumerate(user.inputs) if n != index and v is not None]
    own = _sizes(source)
    if wanted is None or own is None or len(own) > len(wanted):
        return False
    return wanted in others


def _sizes(value: ir.Value) -> tuple[int | str, ...] | None:
    """Sizes, numbers or names; None where one is unknown."""
    if value.shape is None:
        return None
    found = tuple(d if isinstance(d, int) else d.value for d in value.shape)
    return None if any(d is None for d in found) else found  # type: ignore[return-value]
