"""Weights of 4 bits as TensorRT takes them: in blocks along the inputs, positive scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeopt.calibration.blocks import BLOCK, nearest_blocks, real_blocks
from edgeopt.converters.editing import add_constant, free_name
from edgeopt.converters.onnx.biases import correct_bias
from edgeopt.converters.onnx.evidence import nothing_integer
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.placement import KEPT_FLOAT, why_not_matrix
from edgeopt.converters.onnx.weights import channel_axis
from edgeopt.converters.onnx.wide import load_at_opset
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer
from edgeopt.core.precision import Precision

OPSET = 21
"""The first with 4-bit integers and blocks."""

_PRODUCTS = frozenset({"MatMul", "Gemm"})


@dataclass(frozen=True, eq=False)
class Blocks:
    """A graph with 4-bit weights.

    Args:
        model: The graph.
        float_layers: Those products, and why.
    """

    model: ir.Model
    float_layers: tuple[FloatLayer, ...]


def store_blocks(request: WriteRequest) -> Blocks:
    """Round the weights of a float graph's matrix products.

    Raises:
        GateError: If none suits.
        UnsupportedError: If the model can't be brought to the opset that has 4 bits.
    """
    model = load_at_opset(request.graph.path, OPSET)
    known = None if request.table is None else Known(request.table, request.effort)
    stored, stayed = 0, list[FloatLayer]()
    for node in [n for n in model.graph if n.op_type in _PRODUCTS and not n.domain]:
        why = KEPT_FLOAT if node.name in request.kept.floating else _why_not(node)
        if why is None:
            _store(model.graph, node, known)
            stored += 1
        else:
            stayed.append(FloatLayer(node=node.name or "", op=node.op_type, reason=why))
    if not stored:
        raise nothing_integer(Precision.INT4_WEIGHT, stayed)
    return Blocks(model, tuple(stayed))


def _why_not(node: ir.Node) -> str | None:
    why = why_not_matrix(node)
    if why is not None:
        return why
    weight = node.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    rows = weight.const_value.numpy().shape[1 - channel_axis(node, 2)]
    return None if rows % BLOCK == 0 else f"its {rows} inputs are no multiple of {BLOCK}"


def _store(graph: ir.Graph, node: ir.Node, known: Known | None) -> None:
    weight = node.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    array = weight.const_value.numpy()
    transposed = channel_axis(node, 2) == 0
    matrix = np.ascontiguousarray(array.T if transposed else array)
    integers, scales = nearest_blocks(matrix, positive=True)
    error = real_blocks(integers, scales) - matrix
    correct_bias(graph, node, error.T if transposed else error, known)
    name = free_name(graph.initializers, f"{weight.name}_quantized")
    inputs = [_four_bits(graph, name, integers), add_constant(graph, f"{name}_scale", scales)]
    blocks = {"axis": 0, "block_size": BLOCK}
    real = ir.node("DequantizeLinear", inputs, blocks, name=f"{name}_real")
    real.outputs[0].type, real.outputs[0].shape = weight.type, ir.Shape(matrix.shape)
    graph.insert_before(node, real)
    node.replace_input_with(1, real.outputs[0])
    if transposed:
        node.attributes["transB"] = ir.AttrInt64("transB", 0)


def _four_bits(graph: ir.Graph, name: str, integers: np.ndarray) -> ir.Value:
    import ml_dtypes

    kind = ir.DataType.INT4
    tensor = ir.Tensor(integers.astype(ml_dtypes.int4), dtype=kind, name=name)
    shape = ir.Shape(integers.shape)
    value = ir.Value(name=name, const_value=tensor, type=ir.TensorType(kind), shape=shape)
    graph.register_initializer(value)
    return value
