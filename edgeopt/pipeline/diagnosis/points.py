"""Which tensors are compared: each layer's output, and every other tensor that is quantized."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgeopt.calibration.points import MATRIX_OPS, after_clamp, is_activation, range_source
from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.keeping import more_bits
from edgeopt.pipeline.diagnosis.records import Keep

LAYER_OPS = MATRIX_OPS | {"LSTM", "GRU", "RNN", "Einsum", "Attention"}
"""Operators that are layers whether or not their output is quantized."""

INPUT = "input"
"""Stands for the node where a tensor is an input of the model."""


@dataclass(frozen=True)
class Point:
    """A tensor to compare.

    Args:
        tensor: Its name in the float graph.
        node: The node it comes from: the layer's own, where others are merged into it.
        op: That operator and those merged into it: ``Conv+Clip``, ``MatMul+Add``.
        before: The nearest compared tensors that it is computed from.
        outputs: The model's outputs that it reaches without passing another layer.
        more_bits: What gives it more bits; None if it isn't quantized.
    """

    tensor: str
    node: str
    op: str
    before: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    more_bits: Keep | None = None


def find_points(graph: ir.Graph, quantized: Collection[str]) -> Iterator[Point]:
    """The tensors of the float graph to compare, in its order, without what lies around them.

    Args:
        graph: The float graph.
        quantized: Tensors that are quantized in the artifact.
    """
    for value, chain in _chosen(graph, quantized).items():
        yield Point(
            tensor=value.name or "",
            node=chain[0].name or chain[0].op_type if chain else INPUT,
            op="+".join(node.op_type for node in chain) if chain else INPUT,
        )


def linked(
    points: Sequence[Point], found: Mapping[str, ir.Value], graph: ir.Graph
) -> tuple[Point, ...]:
    """The points in the artifact's order, with what lies before and after each.

    Args:
        points: The points.
        found: Each one's value in the artifact, by tensor.
        graph: The artifact's.
    """
    names = {found[point.tensor]: point.tensor for point in points}
    order = {value: i for i, value in enumerate(v for node in graph for v in node.outputs)}
    return tuple(
        Point(
            tensor=point.tensor,
            node=point.node,
            op=point.op,
            before=tuple(_nearest(found[point.tensor], names)),
            outputs=_reached(found[point.tensor]),
            more_bits=more_bits(found[point.tensor]),
        )
        for point in sorted(points, key=lambda p: order.get(found[p.tensor], -1))
    )


def layer_chain(node: ir.Node) -> tuple[ir.Node, ...]:
    """A layer's node, and what is merged into it: a constant added, then a clamp."""
    chain = [node]
    added = _bias_add(node) if node.op_type == "MatMul" else None
    if added is not None:
        chain.append(added)
    clamped = after_clamp(chain[-1].outputs[0]).producer()
    if clamped is not None and clamped is not chain[-1]:
        chain.append(clamped)
    return tuple(chain)


def _bias_add(node: ir.Node) -> ir.Node | None:
    value = node.outputs[0]
    uses = value.uses()
    if len(uses) != 1 or value.is_graph_output():
        return None
    ((user, _),) = uses
    others = [v for v in user.inputs if v is not value]
    constant = all(v is not None and v.const_value is not None for v in others)
    return user if user.op_type == "Add" and not user.domain and constant else None


def _chosen(graph: ir.Graph, quantized: Collection[str]) -> dict[ir.Value, tuple[ir.Node, ...]]:
    chosen: dict[ir.Value, tuple[ir.Node, ...]] = {
        value: () for value in graph.inputs if value.name in quantized
    }
    for node in graph:
        if node.op_type in LAYER_OPS and not node.domain:
            chain = layer_chain(node)
            if is_activation(chain[-1].outputs[0]):
                chosen[chain[-1].outputs[0]] = chain
        for value in node.outputs:
            if value in chosen or not is_activation(value):
                continue
            if value.is_graph_output() or _adds_noise(value, quantized):
                chosen[value] = (node,)
    return chosen


def _adds_noise(value: ir.Value, quantized: Collection[str]) -> bool:
    # What only moves values that were quantized before adds nothing of its own.
    source = range_source(value)
    return value.name in quantized and (source is value or source.name not in quantized)


def _nearest(value: ir.Value, names: Mapping[ir.Value, str]) -> dict[str, None]:
    found: dict[str, None] = {}
    seen: set[ir.Value] = set()
    pending = [value]
    while pending:
        node = pending.pop().producer()
        for before in _read_by(node) if node is not None else ():
            if before in seen:
                continue
            seen.add(before)
            if before in names:
                found[names[before]] = None
            else:
                pending.append(before)
    return found


def _read_by(node: ir.Node) -> list[ir.Value]:
    """What a node reads, through the graphs inside of it too."""
    values = [value for value in node.inputs if value is not None]
    for attribute in node.attributes.values():
        if isinstance(attribute.value, ir.Graph):
            values += [v for inner in attribute.value.all_nodes() for v in inner.inputs if v]
    return values


def _reached(value: ir.Value) -> tuple[str, ...]:
    found: dict[str, None] = {}
    seen = {value}
    pending = [value]
    while pending:
        current = pending.pop()
        if current.is_graph_output():
            found[current.name or ""] = None
        for user, _ in current.uses():
            new = [v for v in user.outputs if v not in seen and user.op_type not in LAYER_OPS]
            seen.update(new)
            pending += new
    return tuple(sorted(found))
