"""Which quantized tensors an artifact still needs when a layer of it has become float.

The converter's rule again: a layer with integer weights reads integers, and a convolution gives
them, too; another operator computes between integers only if all that it reads comes from integer
nodes and one of them reads its result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from edgeopt.calibration.points import CLAMPING_OPS
from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.counterparts import before_pair, pairs, stored_constant
from edgeopt.pipeline.diagnosis.keeping import reads_integers
from edgeopt.pipeline.diagnosis.points import LAYER_OPS
from edgeopt.pipeline.inspection.graph import DEQUANTIZE, QUANTIZE


def unneeded_pairs(graph: ir.Graph, freed: ir.Node) -> Iterator[ir.Node]:
    """The second halves of pairs that converting would leave out.

    Args:
        graph: The artifact's, its freed layer having float weights.
        freed: That layer.
    """
    layers = {node for node in graph if _has_integer_weights(node)}
    between = _between(graph, layers, freed)
    giving = {node for node in layers if node.op_type == "Conv"} | between
    for pair in pairs(graph):
        if _maker(pair) not in giving and not _readers(pair) & (layers | between):
            yield pair


def _between(graph: ir.Graph, layers: Collection[ir.Node], freed: ir.Node) -> set[ir.Node]:
    """The other operators that compute in integers."""
    found = {n for n in graph if n is not freed and _was_between(n)}
    while True:
        integer = found | set(layers)
        kept = {n for n in found if _all_from(n, integer) and _any_reads(n, integer)}
        if kept == found:
            return kept
        found = kept


def _was_between(node: ir.Node) -> bool:
    if node.op_type in LAYER_OPS or node.op_type in (QUANTIZE, DEQUANTIZE):
        return False
    return reads_integers(node) and _pair_after(node) is not None


def _all_from(node: ir.Node, integer: Collection[ir.Node]) -> bool:
    read = [v.producer() for v in node.inputs if v is not None and v.const_value is None]
    return all(pair is not None and _maker(pair) in integer for pair in read)


def _any_reads(node: ir.Node, integer: set[ir.Node]) -> bool:
    pair = _pair_after(node)
    return pair is not None and bool(_readers(pair) & integer)


def _pair_after(node: ir.Node) -> ir.Node | None:
    """The DequantizeLinear of a node's output, if that is quantized."""
    for user, _ in node.outputs[0].uses():
        if user.op_type == QUANTIZE:
            return next((after for after, _ in user.outputs[0].uses()), None)
    return None


def _readers(pair: ir.Node) -> set[ir.Node]:
    return {node for node, _ in pair.outputs[0].uses()}


def _maker(pair: ir.Node) -> ir.Node | None:
    """The node that a pair's tensor comes from, seen through a clamp."""
    before = before_pair(pair)
    node = before.producer() if before is not None else None
    if node is not None and node.op_type in CLAMPING_OPS and node.inputs[0] is not None:
        return node.inputs[0].producer()
    return node


def _has_integer_weights(node: ir.Node) -> bool:
    return len(node.inputs) > 1 and stored_constant(node.inputs[1]) is not None
