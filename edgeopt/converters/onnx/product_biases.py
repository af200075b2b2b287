"""Biases of matrix products, as integers where ONNX Runtime would make a float Gemm otherwise.

It makes a Gemm of a MatMul and the Add of a vector after it wherever it can: of rows and columns
always, of more dimensions where every size is fixed, as PyTorch exports them. A Gemm is integer
only with an int32 bias; with a float one all of it is computed in float, rounded weights and all
(ONNX Runtime 1.32; a linear layer took 1.8 times as long). Where sizes are open the two stay apart,
an integer product and a float sum, and the bias stays float.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgeopt.calibration.encodings import quantize_bias
from edgeopt.converters.editing import add_constant, free_name
from edgeopt.converters.onnx.weights import constant
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding

_ROOM = 2.0**30
"""The largest an int32 bias may be, as :func:`~edgeopt.calibration.encodings.bias_floor` has it."""


def integer_product_biases(graph: ir.Graph, planned: Iterable[ir.Node]) -> tuple[Encoding, ...]:
    """Make int32 of the biases of products that become a Gemm.

    Args:
        graph: With QDQ pairs; edited.
        planned: The nodes that integer kernels are to compute.

    Returns:
        The encodings of these biases.
    """
    found = (_integer_bias(graph, node) for node in planned if node.op_type == "MatMul")
    return tuple(encoding for encoding in found if encoding is not None)


def _integer_bias(graph: ir.Graph, product: ir.Node) -> Encoding | None:
    data, weight = (_rounded(value) for value in product.inputs)
    if data is None or weight is None or not _becomes_gemm(product.inputs[0]):
        return None
    sizes = _shape(weight)
    added = _bias_of(product, sizes[1:]) if len(sizes) == 2 else None
    scale, scales = constant(data.inputs[1]), constant(weight.inputs[1])
    if added is None or scale is None or scales is None or scale.size != 1:
        return None
    addition, index, bias = added
    each = np.broadcast_to(scales.reshape(-1), bias.shape)
    if (np.abs(bias) > _ROOM * float(scale.reshape(-1)[0]) * each).any():
        return None  # a column of zeros with a bias: the sum's integers can't hold it
    name = free_name(graph.initializers, f"{addition.inputs[index].name}_integer")  # type: ignore[union-attr]
    integers, encoding = quantize_bias(name, bias, float(scale.reshape(-1)[0]), each)
    _dequantized_before(graph, addition, index, integers, encoding)
    return encoding


def _bias_of(product: ir.Node, columns: tuple[int, ...]) -> tuple[ir.Node, int, np.ndarray] | None:
    """The Add that becomes part of a Gemm, which of its inputs is the bias, and the bias."""
    uses = list(product.outputs[0].uses())
    if len(uses) != 1 or product.outputs[0].is_graph_output():
        return None
    addition = uses[0][0]
    if addition.op_type != "Add" or addition.domain:
        return None
    for index, value in enumerate(addition.inputs):
        bias = constant(value)
        if bias is not None and bias.shape == columns:
            return addition, index, bias
    return None


def _becomes_gemm(data: ir.Value | None) -> bool:
    """Whether sizes allow it (ONNX Runtime's MatMulAddFusion)."""
    if data is None or data.shape is None:
        return False
    fixed = all(isinstance(size, int) for size in data.shape)
    return len(data.shape) == 2 or fixed


def _rounded(value: ir.Value | None) -> ir.Node | None:
    """The DequantizeLinear that gives a value."""
    maker = None if value is None else value.producer()
    return maker if maker is not None and maker.op_type == "DequantizeLinear" else None


def _shape(weight: ir.Node) -> tuple[int, ...]:
    stored = weight.inputs[0]
    if stored is None or stored.const_value is None:
        return ()
    return tuple(stored.const_value.shape.numpy())


def _dequantized_before(
    graph: ir.Graph, node: ir.Node, index: int, integers: np.ndarray, encoding: Encoding
) -> None:
    name = encoding.tensor
    stored = add_constant(graph, f"{name}_quantized", integers)
    scale = add_constant(graph, f"{name}_scale", np.array(encoding.scale, np.float32))
    zero = add_constant(graph, f"{name}_zero_point", np.zeros(len(integers), np.int32))
    axis = [ir.AttrInt64("axis", 0)]
    pair = ir.Node("", "DequantizeLinear", [stored, scale, zero], axis, name=f"{name}_Dequantize")
    pair.outputs[0].name = f"{name}_dequantized"
    graph.insert_before(node, pair)
    node.replace_input_with(index, pair.outputs[0])
