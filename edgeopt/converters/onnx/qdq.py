"""QDQ ONNX: QuantizeLinear and DequantizeLinear pairs where the plan wants integers."""

from __future__ import annotations

from collections.abc import Set

import msgspec
import numpy as np

from edgeopt.calibration.encodings import bias_floor, quantize_bias
from edgeopt.calibration.ranges import choose_ranges
from edgeopt.converters.onnx.activations import Activations
from edgeopt.converters.onnx.biases import correct_bias, curvature, layer_bias
from edgeopt.converters.onnx.clamps import absorb_clamp
from edgeopt.converters.onnx.drift import correct_means
from edgeopt.converters.onnx.editing import add_constant, free_name
from edgeopt.converters.onnx.evidence import nothing_integer, with_evidence
from edgeopt.converters.onnx.fence import fence_floats
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.placement import Placement, place
from edgeopt.converters.onnx.weights import channel_axis, integer_weight
from edgeopt.converters.onnx.wide import OPSET, load_at_opset, touches, wide_ranges, wide_sources
from edgeopt.converters.simplify import clean
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.precision import Format, Precision
from edgeopt.targets import EncodingRules


def write_int8(request: WriteRequest) -> Written:
    """Write the QDQ model, then ask the runtime what it made of it.

    Raises:
        GateError: If no convolution or matrix product could become integer.
    """
    return write_qdq(request, request.target.rules(Format.ONNX), Precision.INT8)


def write_qdq(request: WriteRequest, rules: EncodingRules, precision: Precision) -> Written:
    """Write a QDQ model by any rules.

    Args:
        request: What it is made from.
        rules: How tensors are encoded.
        precision: What it is called.

    Raises:
        GateError: If no convolution or matrix product could become integer.
        UnsupportedError: If activations of 16 bits are asked for and the model can't be brought to
            the opset that has them.
    """
    assert request.table is not None
    all_wide = rules.activation.bits == 16
    model = _loaded(request, newer=all_wide or bool(request.kept.wide))
    symmetric = rules.activation.symmetric
    known = Known.of(model.graph, request)
    ranges = {
        **choose_ranges(request.table, request.ranges, symmetric=symmetric),
        **known.ranges,
    }
    plan = place(model.graph, ranges, request.kept.floating)
    if not plan.anchors:
        raise nothing_integer(precision, plan.float_layers)
    sources = wide_sources(plan, request.kept.wide)
    planned = () if all_wide else tuple(n for n in plan.anchors if not touches(n, sources))
    beside = () if all_wide else _beside_wide(plan, sources, request.kept.wide)
    wide = wide_ranges(request.table, symmetric=rules.wide is not None and rules.wide.symmetric)
    activations = Activations(rules, ranges, {**wide, **known.ranges}, sources)
    encodings = _Quantizer(model.graph, rules, known, activations).apply(plan)
    fence_floats(model.graph, request.kept.floating)
    if request.effort.corrects:
        correct_means(
            request.graph.path, model, request.samples(), scratch=request.scratch,
            progress=request.progress,
        )  # fmt: skip
    clean(model)
    ir.save(model, request.path)
    return with_evidence(
        request,
        planned,
        encodings=encodings,
        float_layers=(*plan.float_layers, *beside),
        warnings=_idle(plan, request.kept.wide),
        counted=not all_wide,
    )


def _loaded(request: WriteRequest, *, newer: bool) -> ir.Model:
    path = request.graph.path
    return load_at_opset(path, OPSET) if newer else ir.load(path)


def _beside_wide(plan: Placement, sources: Set[str], names: Set[str]) -> tuple[FloatLayer, ...]:
    """The layers that float arithmetic takes over for 16 bits' sake."""
    return tuple(
        FloatLayer(
            node=node.name or "",
            op=node.op_type,
            reason="its activations have 16 bits, as asked"
            if node.name in names
            else "it takes or gives 16 bits, as asked of a layer beside it",
        )
        for node in plan.anchors
        if touches(node, sources)
    )


def _idle(plan: Placement, names: Set[str]) -> tuple[str, ...]:
    idle = sorted(names - {node.name for node in (*plan.anchors, *plan.followers)})
    if not idle:
        return ()
    return (f"nothing to keep at 16 bits: {', '.join(idle)} would be float anyway",)


class _Quantizer:
    """Edits one graph; keeps the encodings in the order they are made."""

    def __init__(
        self,
        graph: ir.Graph,
        rules: EncodingRules,
        known: Known,
        activations: Activations,
    ) -> None:
        self.graph, self.rules, self.known = graph, rules, known
        self.activations = activations
        self.encodings: dict[str, Encoding] = {}

    def apply(self, plan: Placement) -> tuple[Encoding, ...]:
        activations = {value: self._encode(value) for value in plan.quantized}
        for node in plan.anchors:
            data = node.inputs[0]
            assert data is not None
            self._quantize_parameters(node, activations[data], wide=self.activations.is_wide(data))
        for value, encoding in activations.items():
            self._insert_pair(absorb_clamp(self.graph, value, encoding), encoding)
        return tuple(self.encodings.values())

    def _encode(self, value: ir.Value) -> Encoding:
        encoding = self.activations.encoding(value)
        self.encodings[encoding.tensor] = encoding
        return encoding

    def _quantize_parameters(self, node: ir.Node, data: Encoding, *, wide: bool) -> None:
        weight = node.inputs[1]
        assert weight is not None
        assert weight.const_value is not None
        array = weight.const_value.numpy()
        channels = array.shape[channel_axis(node, array.ndim)]
        bias = None if node.op_type == "MatMul" else layer_bias(node, channels)
        floor = bias_floor(bias, data.scale[0]) if bias is not None else None
        rule = self.rules.weight
        if array.ndim > 2 and node.op_type == "MatMul":
            rule = msgspec.structs.replace(rule, per_channel=False)
        name = free_name(self.encodings, weight.name or "")
        rounded = integer_weight(node, array, name, rule, floor, curvature(node, self.known))
        encoding = rounded.encoding
        if wide and node.op_type != "Conv" and encoding.axis is not None:
            # Counted from the end, ONNX Runtime doesn't take the pair for weights of a MatMulNBits,
            # which would round the 16-bit activations to 8 (1.32).
            encoding = msgspec.structs.replace(encoding, axis=encoding.axis - array.ndim)
        self.encodings[name] = encoding
        correct_bias(self.graph, node, rounded.real - array, self.known)
        node.replace_input_with(1, self._dequantized(rounded.integers, encoding, node))
        bias = None if node.op_type == "MatMul" else layer_bias(node, channels)
        if bias is not None and self.rules.integer_bias:
            self._quantize_bias(node, bias, data, np.array(encoding.scale, np.float32))

    def _quantize_bias(
        self, node: ir.Node, bias: np.ndarray, data: Encoding, weight_scale: np.ndarray
    ) -> None:
        source = node.inputs[2]
        assert source is not None
        name = free_name(self.encodings, source.name or "")
        integers, encoding = quantize_bias(name, bias, data.scale[0], weight_scale)
        self.encodings[name] = encoding
        node.replace_input_with(2, self._dequantized(integers, encoding, node))

    def _dequantized(self, integers: np.ndarray, encoding: Encoding, before: ir.Node) -> ir.Value:
        stored = add_constant(self.graph, f"{encoding.tensor}_quantized", integers)
        node = self._pair_node("DequantizeLinear", stored, encoding)
        self.graph.insert_before(before, node)
        return node.outputs[0]

    def _insert_pair(self, value: ir.Value, encoding: Encoding) -> None:
        uses = [(n, i) for n, i in value.uses() if n.op_type != "QuantizeLinear"]
        quantize = self._pair_node("QuantizeLinear", value, encoding)
        dequantize = self._pair_node("DequantizeLinear", quantize.outputs[0], encoding)
        dequantize.outputs[0].type = value.type
        dequantize.outputs[0].shape = value.shape
        for node, index in uses:
            node.replace_input_with(index, dequantize.outputs[0])
        producer = value.producer()
        if producer is None:
            self.graph.insert_before(self.graph[0], [quantize, dequantize])
        else:
            self.graph.insert_after(producer, [quantize, dequantize])
        if value.is_graph_output():
            self._take_output(value, dequantize.outputs[0])

    def _take_output(self, value: ir.Value, replacement: ir.Value) -> None:
        name = value.name
        outputs = self.graph.outputs
        outputs[outputs.index(value)] = replacement
        value.name = f"{name}_float"
        replacement.name = name

    def _pair_node(self, op: str, value: ir.Value, encoding: Encoding) -> ir.Node:
        name = encoding.tensor
        scale = np.array(encoding.scale, np.float32)
        zero_point = np.array(encoding.zero_point, np.dtype(encoding.dtype))
        scalar = encoding.axis is None
        parameters = [
            add_constant(self.graph, f"{name}_scale", scale[0] if scalar else scale),
            add_constant(self.graph, f"{name}_zero_point", zero_point[0] if scalar else zero_point),
        ]
        axis = {} if encoding.axis is None else {"axis": encoding.axis}
        node = ir.node(op, [value, *parameters], axis, name=f"{name}_{op}")
        node.outputs[0].name = f"{name}_{op}_output"
        return node
