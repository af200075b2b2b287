"""int8-weight ONNX: weights stored as int8, arithmetic in float.

The file is a quarter; what runs is the float model. The weights are made float by Cast and Mul,
which ONNX Runtime folds when it loads the model. A DequantizeLinear it would compute at each run
(2.6 times the latency of EfficientNet-Lite0), or turn a matrix product behind it into MatMulNBits,
which rounds the activations too (1.45 times the latency of MiniLM, and 1.7 dB).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from edgeopt.converters.editing import add_constant, free_name
from edgeopt.converters.onnx.biases import correct_bias, curvature
from edgeopt.converters.onnx.evidence import nothing_integer, with_evidence
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.placement import KEPT_FLOAT
from edgeopt.converters.onnx.tables import ROWS, quantize_tables
from edgeopt.converters.onnx.weights import constant, integer_weight
from edgeopt.converters.simplify import clean
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.onnx_file import save_whole
from edgeopt.core.precision import Precision

_WEIGHTS = {
    "Conv": (1,),
    "ConvTranspose": (1,),
    "Gemm": (1,),
    "MatMul": (1,),
    "LSTM": (1, 2),
    "GRU": (1, 2),
    "RNN": (1, 2),
}
"""Which inputs are weights, by operator."""


def write_int8_weight(request: WriteRequest) -> Written:
    """Write it.

    Raises:
        GateError: If the model has no constant weights.
    """
    model = ir.load(request.graph.path)
    graph, kept = model.graph, request.kept.floating
    editor = _Editor(graph, None if request.table is None else Known(request.table, request.effort))
    for node, index in _weights(graph):
        if node.name not in kept:
            editor.store(node, index)
    encodings = (*editor.encodings.values(), *quantize_tables(graph, kept))
    stayed = tuple(
        FloatLayer(node=node.name or "", op=node.op_type, reason=KEPT_FLOAT)
        for node in graph
        if node.name in kept
    )
    if not encodings:
        raise nothing_integer(Precision.INT8_WEIGHT, stayed)
    clean(model)
    save_whole(model, request.path)
    return with_evidence(request, (), encodings=encodings, float_layers=stayed, counted=False)


def _weights(graph: ir.Graph) -> Iterator[tuple[ir.Node, int]]:
    for node in list(graph):
        for index in () if node.domain else _WEIGHTS.get(node.op_type, ()):
            array = constant(node.inputs[index])
            if array is not None and array.ndim >= 2:
                yield node, index


class _Editor:
    """Edits one graph; weights that several layers read are stored once."""

    def __init__(self, graph: ir.Graph, known: Known | None) -> None:
        self.graph, self.known = graph, known
        self.encodings: dict[str, Encoding] = {}
        self.stored: dict[tuple[ir.Value, int], ir.Value] = {}

    def store(self, node: ir.Node, index: int) -> None:
        """Replace one of a node's inputs."""
        weight = node.inputs[index]
        assert weight is not None
        assert weight.const_value is not None
        array = weight.const_value.numpy()
        rule = ROWS
        if array.ndim > 2 and node.op_type == "MatMul":
            rule = msgspec.structs.replace(rule, per_channel=False)
        name = free_name(self.encodings, weight.name or "")
        recurrent = _WEIGHTS[node.op_type] != (1,)
        guide = None if recurrent else curvature(node, self.known)
        made = integer_weight(node, array, name, rule, curvature=guide)
        if not recurrent:
            correct_bias(self.graph, node, made.real - array, self.known)
        key = (weight, made.axis)
        if key not in self.stored:
            self.encodings[name] = made.encoding
            self.stored[key] = self._real(node, made.integers, made.encoding)
        node.replace_input_with(index, self.stored[key])

    def _real(self, node: ir.Node, integers: np.ndarray, encoding: Encoding) -> ir.Value:
        name = encoding.tensor
        shape = [1] * integers.ndim
        if encoding.axis is not None:
            shape[encoding.axis] = -1
        scale = np.array(encoding.scale, np.float32).reshape(shape)
        stored = add_constant(self.graph, f"{name}_quantized", integers)
        cast = ir.node("Cast", [stored], {"to": ir.DataType.FLOAT}, name=f"{name}_cast")
        step = add_constant(self.graph, f"{name}_scale", scale)
        real = ir.node("Mul", [cast.outputs[0], step], name=f"{name}_real")
        self.graph.insert_before(node, [cast, real])
        real.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        real.outputs[0].shape = ir.Shape(integers.shape)
        return real.outputs[0]
