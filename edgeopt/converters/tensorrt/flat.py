"""Convolutions along one axis as convolutions of images that are one pixel high.

TensorRT has integer kernels for two and three axes; with one, and padding on both sides, a layer is
computed in float without a word (1.7.1). The Unsqueeze and the Squeeze around it move nothing.
"""

from __future__ import annotations

import numpy as np

from edgeopt.converters.editing import add_constant
from edgeopt.core.ir import ir

DEQUANTIZE = "DequantizeLinear"
_AXES = "edgeopt_height"
_HEIGHT = 2
"""The axis that is added: (N, C, L) becomes (N, C, 1, L)."""

_PER_AXIS = {"kernel_shape": 1, "strides": 1, "dilations": 1}
"""Attributes with an entry an axis, and what they are for the one that is added."""


def raise_flat_convolutions(graph: ir.Graph) -> None:
    """Give every quantized convolution of one axis a second one.

    Args:
        graph: With QDQ pairs; edited.
    """
    for node in list(graph):
        weight = _flat_weight(node)
        if weight is not None:
            _raise_weight(weight)
            _raise(graph, node)


def _flat_weight(node: ir.Node) -> ir.Node | None:
    """The DQ before a convolution's weights, where they are its own and of one axis."""
    if node.op_type != "Conv" or node.domain or node.inputs[1] is None:
        return None
    pair = node.inputs[1].producer()
    if pair is None or pair.op_type != DEQUANTIZE or len(pair.outputs[0].uses()) > 1:
        return None
    stored = pair.inputs[0]
    if stored is None or stored.const_value is None or len(stored.uses()) > 1:
        return None
    return pair if len(stored.const_value.shape) == _HEIGHT + 1 else None


def _raise_weight(pair: ir.Node) -> None:
    stored = pair.inputs[0]
    assert stored is not None
    assert stored.const_value is not None
    array = np.expand_dims(stored.const_value.numpy(), _HEIGHT)
    stored.const_value = ir.Tensor(array, name=stored.name)
    stored.shape = ir.Shape(array.shape)
    pair.outputs[0].shape = None


def _raise(graph: ir.Graph, node: ir.Node) -> None:
    axes = add_constant(graph, _AXES, np.array([_HEIGHT]))
    before = ir.node("Unsqueeze", [node.inputs[0], axes], name=f"{node.name}_unsqueeze")
    graph.insert_before(node, before)
    node.replace_input_with(0, before.outputs[0])
    for name, one in _PER_AXIS.items():
        if name in node.attributes:
            node.attributes[name] = ir.AttrInt64s(name, [one, *node.attributes[name].as_ints()])
    if "pads" in node.attributes:
        begin, end = node.attributes["pads"].as_ints()
        node.attributes["pads"] = ir.AttrInt64s("pads", [0, begin, 0, end])
    _squeeze(graph, node, axes)


def _squeeze(graph: ir.Graph, node: ir.Node, axes: ir.Value) -> None:
    raised = node.outputs[0]
    after = ir.node("Squeeze", [raised, axes], name=f"{node.name}_squeeze")
    flat = after.outputs[0]
    flat.type, flat.shape = raised.type, raised.shape
    raised.shape = None
    for consumer, index in list(raised.uses()):
        if consumer is not after:
            consumer.replace_input_with(index, flat)
    if raised.is_graph_output():
        graph.outputs[graph.outputs.index(raised)] = flat
    flat.name, raised.name = raised.name, f"{raised.name}_raised"
    graph.insert_after(node, after)
