"""Finding a float graph's tensors again in the artifact, and giving graphs more outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgeopt.core.ir import ir
from edgeopt.pipeline.inspection.encodings import encoded_tensor
from edgeopt.pipeline.inspection.graph import DEQUANTIZE, QUANTIZE


def values_of(graph: ir.Graph) -> dict[str, ir.Value]:
    """Every value of the main graph that is computed or fed, by name."""
    values = [*graph.inputs, *(value for node in graph for value in node.outputs)]
    return {value.name: value for value in values if value.name}


def quantized_values(graph: ir.Graph) -> dict[str, ir.Value]:
    """What is left of each quantized activation, by the float graph's name of it.

    That is the output of the DequantizeLinear of a pair; where a clamp was taken over by the
    integers, the value before the pair has the name of the clamp's output.
    """
    return {encoded_tensor(node): node.outputs[0] for node in pairs(graph)}


def pairs(graph: ir.Graph) -> Iterator[ir.Node]:
    """Each DequantizeLinear whose input a QuantizeLinear gives: the second half of a pair."""
    for node in graph:
        if node.op_type == DEQUANTIZE and before_pair(node) is not None:
            yield node


def before_pair(node: ir.Node) -> ir.Value | None:
    """The value that the pair of a DequantizeLinear quantizes; None for one of constants."""
    first = node.inputs[0].producer() if node.inputs[0] is not None else None
    return first.inputs[0] if first is not None and first.op_type == QUANTIZE else None


def stored_constant(value: ir.Value | None) -> ir.Node | None:
    """The DequantizeLinear that makes a value of constant integers; None if none does."""
    node = value.producer() if value is not None else None
    dequantizes = node is not None and node.op_type == DEQUANTIZE
    return node if dequantizes and node is not None and before_pair(node) is None else None


def expose(graph: ir.Graph, values: Iterable[ir.Value]) -> list[str]:
    """Make values outputs of the graph; its own stay where they are.

    Returns:
        Their names, in order.
    """
    names = []
    for value in values:
        if not value.is_graph_output():
            if value.type is None:
                value.type = ir.TensorType(ir.DataType.FLOAT)
            graph.outputs.append(value)
        names.append(value.name or "")
    return names
