"""The layers of a graph, and whether they compute in integers."""

from __future__ import annotations

from collections.abc import Mapping

from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer
from edgeopt.pipeline.inspection.encodings import encoded_tensor
from edgeopt.pipeline.inspection.graph import DEQUANTIZE, QUANTIZE, constant
from edgeopt.pipeline.inspection.plain import behind_cast
from edgeopt.pipeline.inspection.records import Layer

_WEIGHT_INDEX = {
    "Conv": 1,
    "ConvTranspose": 1,
    "Gemm": 1,
    "MatMul": 1,
    "LSTM": 1,
    "GRU": 1,
    "RNN": 1,
    "ConvInteger": 1,
    "MatMulInteger": 1,
    "MatMulIntegerToFloat": 1,
    "DynamicQuantizeMatMul": 1,
    "MatMulNBits": 1,
    "QLinearConv": 3,
    "QLinearMatMul": 3,
    "QGemm": 3,
}
"""The operators that count as layers, and which input holds their weights."""

_INTEGER_OPS = frozenset(
    {"ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
     "QLinearConv", "QLinearMatMul", "QGemm"}
)  # fmt: skip
_PASSING = frozenset({"Relu", "Clip", "Squeeze"})
"""Between a layer and the QuantizeLinear of its output."""
_BEFORE = frozenset({"Unsqueeze"})
"""Between the DequantizeLinear of its input and a layer."""


def find_layers(graph: ir.Graph, known: Mapping[str, FloatLayer]) -> tuple[Layer, ...]:
    """The layers of a graph and of those inside its control flow.

    Args:
        graph: The graph.
        known: What the manifest says of those that stayed float, by node.
    """
    nodes = [node for node in graph.all_nodes() if node.op_type in _WEIGHT_INDEX]
    return tuple(_layer(node, known.get(node.name or "")) for node in nodes)


def _layer(node: ir.Node, float_layer: FloatLayer | None) -> Layer:
    weight = node.inputs[_WEIGHT_INDEX[node.op_type]]
    dequantize = _dequantize(weight)
    stored = constant(dequantize.inputs[0] if dequantize is not None else weight)
    stored = behind_cast(weight) if stored is None else stored
    source = _dequantize(node.inputs[0])
    result = _quantize(node.outputs[0])
    why_float = float_layer.reason if float_layer else _why_float(node, source, dequantize, result)
    return Layer(
        name=node.name or node.outputs[0].name or "",
        op=node.op_type,
        weight_shape=None if stored is None else tuple(int(d) for d in stored.shape.numpy()),
        weight_dtype=None if stored is None else stored.dtype.numpy().name,
        arithmetic="integer" if why_float is None else _float_type(node),
        reason=why_float or None,
        input=None if source is None else encoded_tensor(source),
        weight=None if dequantize is None else encoded_tensor(dequantize),
        output=None if result is None else encoded_tensor(result),
    )


def _why_float(
    node: ir.Node, source: ir.Node | None, weight: ir.Node | None, result: ir.Node | None
) -> str | None:
    """None for an integer layer; a reason, or "" where there is nothing to explain."""
    if node.op_type in _INTEGER_OPS:
        return None
    if weight is None:
        return ""
    if source is None:
        return "its weights are integers, but not its input"
    # A runtime fuses a convolution only together with its output; a matrix product by itself.
    if node.op_type in ("Conv", "ConvTranspose") and result is None:
        return "its input and weights are integers, but not its output"
    return None


def _dequantize(value: ir.Value | None) -> ir.Node | None:
    node = value.producer() if value is not None else None
    if node is not None and node.op_type in _BEFORE and node.inputs[0] is not None:
        node = node.inputs[0].producer()
    return node if node is not None and node.op_type == DEQUANTIZE else None


def _quantize(value: ir.Value) -> ir.Node | None:
    users = [node for node, _ in value.uses()]
    while len(users) == 1 and users[0].op_type in _PASSING:
        users = [node for node, _ in users[0].outputs[0].uses()]
    return next((node for node in users if node.op_type == QUANTIZE), None)


def _float_type(node: ir.Node) -> str:
    for value in (*node.outputs, *node.inputs):
        if value is not None and value.dtype is not None and value.dtype.is_floating_point():
            return value.dtype.numpy().name
    held = [constant(v) for v in node.inputs]
    types = [t.dtype for t in held if t is not None and t.dtype.is_floating_point()]
    return types[0].numpy().name if types else "float32"
