"""int4-weight ONNX: matrix products with 4-bit weights, arithmetic in float.

Written as MatMulNBits, ONNX Runtime's own operator: symmetric, a scale for each 32 weights.
"""

from __future__ import annotations

import numpy as np

from edgeopt.calibration.blocks import BLOCK, nearest_blocks, real_blocks
from edgeopt.calibration.rounding import round_blocks
from edgeopt.converters.editing import add_constant, free_name, replace_node
from edgeopt.converters.onnx.biases import correct_bias, curvature
from edgeopt.converters.onnx.evidence import nothing_integer, with_evidence
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.placement import why_not_matrix
from edgeopt.converters.onnx.reasons import reasons_for_float, stayed_float
from edgeopt.converters.onnx.tables import quantize_tables
from edgeopt.converters.onnx.weights import channel_axis
from edgeopt.converters.simplify import clean
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.onnx_file import save_whole
from edgeopt.core.precision import Precision

DOMAIN = "com.microsoft"
BITS = 4
_MIDDLE = 1 << (BITS - 1)
_FLOAT_ARITHMETIC = 1
"""MatMulNBits' accuracy level: float32. At 4 it rounds activations to 8 bits as well."""

_PRODUCTS = frozenset({"MatMul", "Gemm"})


def write_int4_weight(request: WriteRequest) -> Written:
    """Write it, then ask the runtime what it made of it.

    Raises:
        GateError: If the model has no matrix product with constant weights.
    """
    model = ir.load(request.graph.path)
    graph = model.graph
    known = None if request.table is None else Known(request.table, request.effort)
    reasons = reasons_for_float(graph, request.kept.floating, why_float)
    stayed = stayed_float(reasons)
    planned = [_quantize(graph, node, known) for node, why in reasons.items() if why is None]
    if not planned:
        raise nothing_integer(Precision.INT4_WEIGHT, stayed)
    encodings = quantize_tables(graph, request.kept.floating)
    model.opset_imports[DOMAIN] = 1
    clean(model)
    save_whole(model, request.path)
    return with_evidence(
        request, planned, encodings=encodings, float_layers=tuple(stayed), counted=False
    )


def why_float(node: ir.Node) -> str | None:
    """None for a node with 4-bit weights, a reason for one without, "" for one of no interest."""
    if node.domain or node.op_type not in _PRODUCTS:
        return ""
    return why_not_matrix(node)


def _quantize(graph: ir.Graph, node: ir.Node, known: Known | None) -> ir.Node:
    weight = node.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    stored = weight.const_value.numpy()
    transposed = channel_axis(node, 2) == 0
    array = np.ascontiguousarray(stored.T if transposed else stored)
    integers, scales = _rounded(array, node, known)
    error = real_blocks(integers, scales) - array
    correct_bias(graph, node, error.T if transposed else error, known)
    name = free_name(graph.initializers, f"{weight.name}_quantized")
    inputs = [
        node.inputs[0],
        add_constant(graph, name, packed(integers)),
        add_constant(graph, f"{name}_scale", np.ascontiguousarray(scales.T)),
    ]
    attributes = {
        "K": array.shape[0],
        "N": array.shape[1],
        "bits": BITS,
        "block_size": BLOCK,
        "accuracy_level": _FLOAT_ARITHMETIC,
    }
    product = ir.node("MatMulNBits", inputs, attributes, domain=DOMAIN, name=node.name)
    nodes = [product]
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is not None:
        nodes.append(ir.node("Add", [product.outputs[0], bias], name=f"{node.name}_bias"))
    replace_node(graph, node, nodes)
    return product


def _rounded(
    weight: np.ndarray, node: ir.Node, known: Known | None
) -> tuple[np.ndarray, np.ndarray]:
    guide = curvature(node, known)
    if guide is None:
        return nearest_blocks(weight, BLOCK, BITS)
    return round_blocks(weight, BLOCK, BITS, guide)


def packed(integers: np.ndarray) -> np.ndarray:
    """4-bit integers as MatMulNBits stores them: two a byte, the first in the low half.

    Args:
        integers: ``(K, N)`` from -8 to 7.

    Returns:
        ``(N, ceil(K / 32), 16)`` uint8, 0 standing for -8.
    """
    columns = integers.shape[1]
    filled = np.pad(integers, ((0, -len(integers) % BLOCK), (0, 0)))
    blocks = (filled.T + _MIDDLE).astype(np.uint8).reshape(columns, -1, BLOCK)
    halves: np.ndarray = blocks[..., 0::2] | (blocks[..., 1::2] << BITS)
    return halves
