"""Weights stored as integers in a float graph, with a DequantizeLinear before each reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeopt.converters.editing import add_constant, free_name
from edgeopt.converters.onnx.biases import correct_bias, curvature
from edgeopt.converters.onnx.evidence import nothing_integer
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.placement import KEPT_FLOAT, why_not_weights
from edgeopt.converters.onnx.tables import quantize_tables
from edgeopt.converters.onnx.weights import integer_weight
from edgeopt.converters.tflite.placement import ANCHORS
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.precision import Precision
from edgeopt.targets import TensorRule

Suits = Callable[["ir.Node"], str | None]
"""Why a node's weights are not stored so; None if they are."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A float graph with integer weights.

    Args:
        model: The graph.
        encodings: Of its weights.
        float_layers: Nodes whose weights stay float, and why.
    """

    model: ir.Model
    encodings: tuple[Encoding, ...]
    float_layers: tuple[FloatLayer, ...]


def store_weights(
    request: WriteRequest,
    rule: TensorRule,
    precision: Precision,
    suits: Suits,
    *,
    look_ups: bool = True,
) -> Stored:
    """Round the weights of a float graph's layers, and correct their biases if it was calibrated.

    Args:
        request: What it is made from.
        rule: How weights are encoded.
        precision: What it is called.
        suits: Which layers.
        look_ups: Whether the tables of look-ups are stored so, too.

    Raises:
        GateError: If none does.
    """
    model = ir.load(request.graph.path)
    graph, encodings = model.graph, dict[str, Encoding]()
    known = None if request.table is None else Known(request.table, request.effort)
    stayed = []
    for node in list(graph):
        if node.domain or node.op_type not in ANCHORS:
            continue
        why = KEPT_FLOAT if node.name in request.kept.floating else _why_not(node, suits)
        if why is None:
            _store(graph, node, rule, known, encodings)
        else:
            stayed.append(FloatLayer(node=node.name or "", op=node.op_type, reason=why))
    if not encodings:
        raise nothing_integer(precision, stayed)
    tables = quantize_tables(graph, request.kept.floating) if look_ups else ()
    return Stored(model, (*encodings.values(), *tables), tuple(stayed))


def products(node: ir.Node) -> str | None:
    """Matrix products only."""
    if node.op_type in ("Gemm", "MatMul"):
        return None
    return f"LiteRT has 4-bit weights for matrix products, not for {node.op_type}"


def products_and_images(node: ir.Node) -> str | None:
    """What has a fast hybrid kernel: matrix products and ungrouped convolutions."""
    if node.op_type in ("Gemm", "MatMul"):
        return None
    if node.op_type == "Conv" and node.attributes.get_int("group", 1) == 1:
        return None
    kind = "a grouped convolution" if node.op_type == "Conv" else node.op_type
    return f"XNNPACK has no hybrid kernel for {kind}"


def everything(_: ir.Node) -> str | None:
    """Every layer with weights."""
    return None


def _why_not(node: ir.Node, suits: Suits) -> str | None:
    why = suits(node) or why_not_weights(node)
    weight = node.inputs[1]
    if why is None and node.op_type == "MatMul":
        assert weight is not None
        assert weight.const_value is not None
        return None if len(weight.const_value.shape) == 2 else "its weights are a batch of matrices"
    if why is None and node.op_type == "ConvTranspose" and node.attributes.get_int("group", 1) > 1:
        return "it is a grouped ConvTranspose"
    return why


def _store(
    graph: ir.Graph,
    node: ir.Node,
    rule: TensorRule,
    known: Known | None,
    encodings: dict[str, Encoding],
) -> None:
    weight = node.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    array = weight.const_value.numpy()
    name = free_name(encodings, weight.name or "")
    made = integer_weight(node, array, name, rule, curvature=curvature(node, known))
    correct_bias(graph, node, made.real - array, known)
    encodings[name] = made.encoding
    stored = add_constant(graph, f"{name}_quantized", made.integers)
    scale = np.array(made.encoding.scale, np.float32)
    zero = np.array(made.encoding.zero_point, np.int8)
    one = made.encoding.axis is None
    parameters = [
        add_constant(graph, f"{name}_scale", scale[0] if one else scale),
        add_constant(graph, f"{name}_zero_point", zero[0] if one else zero),
    ]
    axis = {} if one else {"axis": made.encoding.axis}
    pair = ir.node("DequantizeLinear", [stored, *parameters], axis, name=f"{name}_real")
    pair.outputs[0].type, pair.outputs[0].shape = weight.type, weight.shape
    graph.insert_before(node, pair)
    node.replace_input_with(1, pair.outputs[0])
