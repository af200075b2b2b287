"""The ONNX that an engine is built from: all of its precision is in there.

TensorRT 11 has no flags for precision, and 10 takes the same file in a strongly typed network.
float16 is a graph with casts at its ends; int8 is pairs of Q and DQ by the rules of
:mod:`~edgeopt.converters.tensorrt.lint`, the ranges of activations coming from the same table that
every other runtime's do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from edgeopt.converters.onnx.floats import halved
from edgeopt.converters.onnx.placement import place
from edgeopt.converters.onnx.quantized import quantized
from edgeopt.converters.simplify import clean
from edgeopt.converters.tensorrt.blocks import store_blocks
from edgeopt.converters.tensorrt.flat import raise_flat_convolutions
from edgeopt.converters.tensorrt.planned import Planned
from edgeopt.converters.tflite.stored import everything, store_weights
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.precision import Format, Precision


@dataclass(frozen=True, eq=False)
class Prepared:
    """An ONNX model for TensorRT.

    Args:
        model: The graph.
        planned: The layers that are to compute in integers.
        encodings: Every scale in it.
        float_layers: Layers that stay float, and why.
        warnings: What the user should know.
    """

    model: ir.Model
    planned: tuple[Planned, ...] = ()
    encodings: tuple[Encoding, ...] = ()
    float_layers: tuple[FloatLayer, ...] = ()
    warnings: tuple[str, ...] = ()


def prepare_fp32(request: WriteRequest) -> Prepared:
    """The float graph as it is."""
    return Prepared(ir.load(request.graph.path))


def prepare_fp16(request: WriteRequest) -> Prepared:
    """Everything in float16, float32 in and out."""
    return Prepared(halved(request.graph.path))


def prepare_int8(request: WriteRequest) -> Prepared:
    """Symmetric pairs of Q and DQ, weights a scale a channel, biases float.

    Raises:
        GateError: If no convolution or matrix product could become integer.
    """
    rules = request.target.rules(Format.TENSORRT)
    made = quantized(request, rules, Precision.INT8, partial(place, runtime="TensorRT"))
    raise_flat_convolutions(made.model.graph)
    clean(made.model)
    planned = tuple(Planned(node.name or "", node.op_type) for node in made.planned)
    return Prepared(made.model, planned, made.encodings, made.float_layers, made.warnings)


def prepare_int8_weight(request: WriteRequest) -> Prepared:
    """Weights of 8 bits before a DequantizeLinear, float arithmetic.

    Raises:
        GateError: If no layer has constant weights.
    """
    rule = request.target.rules(Format.TENSORRT).weight
    # A Gather of integers is none of the operators that TensorRT has for them.
    made = store_weights(request, rule, Precision.INT8_WEIGHT, everything, look_ups=False)
    clean(made.model)
    return Prepared(made.model, (), made.encodings, made.float_layers)


def prepare_int4_weight(request: WriteRequest) -> Prepared:
    """Matrix products with weights of 4 bits in blocks before a DequantizeLinear.

    Raises:
        GateError: If no matrix product suits.
        UnsupportedError: If the model can't be brought to the opset that has 4 bits.
    """
    made = store_blocks(request)
    clean(made.model)
    return Prepared(made.model, (), (), made.float_layers)
