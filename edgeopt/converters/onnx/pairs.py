"""Writing Q/DQ pairs into a float graph: activations encoded, weights and biases rounded."""

from __future__ import annotations

import msgspec
import numpy as np

from edgeopt.calibration.encodings import bias_floor, quantize_bias
from edgeopt.converters.editing import add_constant, free_name
from edgeopt.converters.onnx.activations import Activations
from edgeopt.converters.onnx.biases import correct_bias, curvature, layer_bias
from edgeopt.converters.onnx.clamps import absorb_clamp
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.placement import Placement
from edgeopt.converters.onnx.weights import channel_axis, integer_weight
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding
from edgeopt.targets import EncodingRules


class PairInserter:
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
        """Insert what a plan wants; the encodings, in the order they were made."""
        activations = {value: self._encode(value) for value in plan.quantized}
        for node in plan.anchors:
            data = node.inputs[0]
            assert data is not None
            # Of an input that is rounded when the model runs, the range is as good a guess.
            encoding = activations.get(data) or self.activations.encoding(data)
            self._quantize_parameters(node, encoding, wide=self.activations.is_wide(data))
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
        axis = [] if encoding.axis is None else [ir.AttrInt64("axis", encoding.axis)]
        node = ir.Node("", op, [value, *parameters], axis, name=f"{name}_{op}")
        node.outputs[0].name = f"{name}_{op}_output"
        return node
