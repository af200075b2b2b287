"""Keeping ONNX Runtime from making integers of what was to stay float.

Between a DequantizeLinear and a QuantizeLinear the runtime takes liberties: it rounds the float
weights of a Conv, ConvTranspose or Gemm to 8 bits by itself, one scale for all of them
(WeightBiasQuantization: 25.4 dB became 4.5), and fuses elementwise operators into integer ones. A
LeakyRelu of slope 1 behind such a node changes no value and is fused into a Conv's or Gemm's
kernel, so that it costs nothing there; those rules don't look through it.
"""

from __future__ import annotations

from collections.abc import Set

from edgeopt.calibration.points import CLAMPING_OPS
from edgeopt.core.ir import ir

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
_ROUNDED = frozenset({"Conv", "ConvTranspose", "Gemm"})
"""Their float weights are."""


def fence_floats(graph: ir.Graph, kept: Set[str] = frozenset()) -> None:
    """Put a fence behind every node that must stay float and would not.

    Args:
        graph: With QDQ pairs; edited.
        kept: Names of nodes that the user keeps float, whatever they are.
    """
    for node in list(graph):
        if node.domain or not (node.name in kept or _has_float_weights(node)):
            continue
        if len(node.outputs) == 1 and _comes_from_integers(node) and _goes_to_integers(node):
            _fence(graph, node)


def _has_float_weights(node: ir.Node) -> bool:
    if node.op_type not in _ROUNDED:
        return False
    weight = node.inputs[1]
    return weight is not None and weight.const_value is not None


def _comes_from_integers(node: ir.Node) -> bool:
    makers = [value.producer() for value in node.inputs if value is not None]
    return any(maker is not None and maker.op_type == DEQUANTIZE for maker in makers)


def _goes_to_integers(node: ir.Node) -> bool:
    value = node.outputs[0]
    while True:
        consumers = [consumer for consumer, _ in value.uses()]
        if len(consumers) != 1 or value.is_graph_output():
            return False
        if consumers[0].op_type == QUANTIZE:
            return True
        if consumers[0].op_type not in CLAMPING_OPS:
            return False
        value = consumers[0].outputs[0]


def _fence(graph: ir.Graph, node: ir.Node) -> None:
    value = node.outputs[0]
    fence = ir.node("LeakyRelu", [value], {"alpha": 1.0}, name=f"{node.name}_fence")
    after = fence.outputs[0]
    after.type, after.shape = value.type, value.shape
    for consumer, index in list(value.uses()):
        if consumer is not fence:
            consumer.replace_input_with(index, after)
    after.name, value.name = value.name, f"{value.name}_unfenced"
    graph.insert_after(node, fence)
