"""int8-dynamic ONNX: 8-bit weights, and activations rounded by what they are at run time.

Each matrix product is written as DynamicQuantizeLinear, MatMulInteger and two Muls, which ONNX
Runtime fuses into one kernel, with the bias that is added next. No calibration is needed.
"""

from __future__ import annotations

import msgspec
import numpy as np

from edgeopt.calibration.points import is_activation
from edgeopt.converters.editing import add_constant, free_name, replace_node
from edgeopt.converters.onnx.biases import correct_bias, curvature
from edgeopt.converters.onnx.evidence import nothing_integer, with_evidence
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.masks import floor_masked_scores
from edgeopt.converters.onnx.placement import why_not_weights
from edgeopt.converters.onnx.reasons import reasons_for_float, stayed_float
from edgeopt.converters.onnx.residuals import residuals_as_sums
from edgeopt.converters.onnx.tables import quantize_tables
from edgeopt.converters.onnx.weights import integer_weight
from edgeopt.converters.simplify import clean
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding
from edgeopt.core.onnx_file import save_whole
from edgeopt.core.precision import Format, Precision
from edgeopt.targets import TensorRule

_PRODUCTS = frozenset({"MatMul", "Gemm"})
_HEAVY = frozenset({"Conv", "ConvTranspose", "LSTM", "GRU", "RNN"})


def write_int8_dynamic(request: WriteRequest) -> Written:
    """Write it, then ask the runtime what it made of it.

    Raises:
        GateError: If the model has no matrix product with constant weights.
    """
    model = ir.load(request.graph.path)
    known = None if request.table is None else Known.of(model.graph, request)
    rules = request.target.rules(Format.ONNX)
    editor = _Editor(model.graph, rules.weight, known)
    reasons = reasons_for_float(model.graph, request.kept.floating, why_float)
    stayed = stayed_float(reasons)
    planned = [editor.quantize(node) for node, why in reasons.items() if why is None]
    if not planned:
        raise nothing_integer(Precision.INT8_DYNAMIC, stayed)
    encodings = (*editor.encodings.values(), *quantize_tables(model.graph, request.kept.floating))
    if rules.residual_sums:
        residuals_as_sums(model.graph)
    if rules.masked_floors:
        floor_masked_scores(model.graph)
    clean(model)
    save_whole(model, request.path)
    return with_evidence(request, planned, encodings=encodings, float_layers=tuple(stayed))


def why_float(node: ir.Node) -> str | None:
    """None for an integer node, a reason for one that stays float, "" for one of no interest."""
    if node.domain:
        return ""
    if node.op_type in _HEAVY:
        return f"int8-dynamic is for matrix products, not for {node.op_type}"
    if node.op_type not in _PRODUCTS:
        return ""
    why = why_not_weights(node)
    if why is not None:
        return why
    weight, data = node.inputs[1], node.inputs[0]
    assert weight is not None
    if weight.shape is None or len(weight.shape) != 2:
        return "its weights are a batch of matrices"
    if data is None or not is_activation(data):
        return "its input is not a float32 activation"
    return None


class _Editor:
    """Edits one graph."""

    def __init__(self, graph: ir.Graph, rule: TensorRule, known: Known | None) -> None:
        self.graph, self.rule, self.known = graph, rule, known
        self.rounded: dict[ir.Value, ir.Node] = {}
        self.encodings: dict[str, Encoding] = {}

    def quantize(self, node: ir.Node) -> ir.Node:
        """Replace a matrix product; the one with integers has its name."""
        data, scale, zero_point = self._input(node).outputs
        weight, weight_scale = self._weight(node)
        name = node.name
        product = ir.node("MatMulInteger", [data, weight, zero_point], name=name)
        cast = ir.node("Cast", product.outputs, {"to": ir.DataType.FLOAT}, name=f"{name}_cast")
        step = ir.node("Mul", [scale, weight_scale], name=f"{name}_step")
        real = ir.node("Mul", [cast.outputs[0], step.outputs[0]], name=f"{name}_real")
        nodes = [product, cast, step, real]
        bias = node.inputs[2] if len(node.inputs) > 2 else None
        if bias is not None:
            nodes.append(ir.node("Add", [real.outputs[0], bias], name=f"{name}_bias"))
        replace_node(self.graph, node, nodes)
        return product

    def _input(self, node: ir.Node) -> ir.Node:
        """The input's integers, found once for all that read it."""
        data = node.inputs[0]
        assert data is not None
        if data not in self.rounded:
            rounded = ir.node(
                "DynamicQuantizeLinear", [data], num_outputs=3, name=f"{data.name}_integers"
            )
            self.graph.insert_before(node, rounded)
            self.rounded[data] = rounded
        return self.rounded[data]

    def _weight(self, node: ir.Node) -> tuple[ir.Value, ir.Value]:
        weight = node.inputs[1]
        assert weight is not None
        assert weight.const_value is not None
        array = weight.const_value.numpy()
        name = free_name(self.encodings, weight.name or "")
        guide = curvature(node, self.known)
        made = integer_weight(node, array, name, self.rule, curvature=guide)
        correct_bias(self.graph, node, made.real - array, self.known)
        integers, encoding = made.integers, made.encoding
        if made.axis == 0:
            integers = np.ascontiguousarray(integers.T)
            axis = None if encoding.axis is None else 1
            encoding = msgspec.structs.replace(encoding, axis=axis)
        self.encodings[name] = encoding
        scale = np.array(encoding.scale, np.float32)
        return (
            add_constant(self.graph, f"{name}_quantized", integers),
            add_constant(self.graph, f"{name}_scale", scale if len(scale) > 1 else scale[0]),
        )
