"""TFLite artifacts, a function a precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from edgeopt.converters.onnx.quantized import quantized
from edgeopt.converters.onnx.tables import quantize_tables
from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.converters.tflite.flatbuffer import write_flatbuffer
from edgeopt.converters.tflite.metadata import preprocessing_metadata
from edgeopt.converters.tflite.model import Model, Operator, Tensor
from edgeopt.converters.tflite.passes.constants import Stored
from edgeopt.converters.tflite.passes.integers import WEIGHTED
from edgeopt.converters.tflite.passes.names import name_tensors
from edgeopt.converters.tflite.placement import LiteRtPlacement
from edgeopt.converters.tflite.stored import (
    everything,
    products,
    products_and_images,
    store_weights,
)
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.manifest import Encoding
from edgeopt.core.precision import Format, Precision
from edgeopt.core.tflite_metadata import NAME as METADATA
from edgeopt.targets import EncodingRules

_SLOW_ON_X86 = "int16x8 runs on LiteRT's reference kernels on x86: expect it to be very slow there"


def write_fp32(request: WriteRequest) -> Written:
    """Everything in float32."""
    _write(request, ir.load(request.graph.path))
    return Written()


def write_fp16(request: WriteRequest) -> Written:
    """Weights in float16; delegates make floats of them when the model is loaded."""
    _write(request, ir.load(request.graph.path), halves=True)
    return Written()


def write_int8(request: WriteRequest) -> Written:
    """Static int8, with float or integer ends.

    Raises:
        GateError: If no layer could become integer.
    """
    return _write_integers(request, request.target.rules(Format.TFLITE), Precision.INT8)


def write_int16x8(request: WriteRequest) -> Written:
    """Activations of 16 bits, weights of 8.

    Raises:
        GateError: If no layer could become integer.
    """
    rules = request.target.rules(Format.TFLITE).widened
    written = _write_integers(request, rules, Precision.INT16X8)
    x86 = request.target.cpu is not None and request.target.cpu.arch == "x86_64"
    return replace(written, warnings=(*written.warnings, _SLOW_ON_X86)) if x86 else written


def write_int8_dynamic(request: WriteRequest) -> Written:
    """Hybrid kernels: weights of 8 bits, activations rounded by what they are at run time.

    Raises:
        GateError: If no layer has such a kernel.
    """
    rule = request.target.rules(Format.TFLITE).weight
    made = store_weights(request, rule, Precision.INT8_DYNAMIC, products_and_images)
    _write(request, made.model, stored=Stored.HYBRID)
    return Written(made.encodings, float_layers=made.float_layers)


def write_int8_weight(request: WriteRequest) -> Written:
    """Weights of 8 bits, float arithmetic.

    Raises:
        GateError: If no layer has constant weights.
    """
    rule = request.target.rules(Format.TFLITE).weight
    made = store_weights(request, rule, Precision.INT8_WEIGHT, everything)
    _write(request, made.model)
    return Written(made.encodings, float_layers=made.float_layers)


def write_int4_weight(request: WriteRequest) -> Written:
    """Matrix products with weights of 4 bits, one scale an output.

    Raises:
        GateError: If no matrix product has constant weights.
    """
    rule = msgspec.structs.replace(request.target.rules(Format.TFLITE).weight, bits=4)
    made = store_weights(request, rule, Precision.INT4_WEIGHT, products)
    _write(request, made.model, stored=Stored.HYBRID, bits={e.tensor for e in made.encodings})
    return Written(made.encodings, float_layers=made.float_layers)


def _write_integers(request: WriteRequest, rules: EncodingRules, precision: Precision) -> Written:
    integers = request.io is Ends.INT8
    floats = not integers and rules.activation.bits == 8 and rules.hybrid
    place = LiteRtPlacement(rules, float_ends=floats, integer_ends=integers)
    made = quantized(request, rules, precision, place)
    # Rows that are looked up become floats, which accelerators for integers alone don't have.
    tables = quantize_tables(made.model.graph, request.kept.floating) if floats else ()
    stored = Stored.HYBRID if floats else Stored.DEQUANTIZED
    model, before = _write(request, made.model, integers=integers, stored=stored)
    names = {node.name for node in made.planned}
    integer = {op.node for op in model.operators if _has_integer_weights(op)}
    return Written(
        (*_encodings(before, made.encodings), *tables),
        len(names & integer) if names else None,
        made.float_layers,
        made.warnings,
    )


def _write(
    request: WriteRequest, graph: ir.Model, *, bits: Iterable[str] = (), **options: Any
) -> tuple[Model, dict[Tensor, str]]:
    """Compile a graph and write the file; the model, and its tensors' names in the graph."""
    model = compile_model(
        graph, channels_last=request.layout is Layout.NHWC, name=request.name, **options
    )
    four = set(bits)
    for tensor in model.tensors():
        if tensor.constant and tensor.quantization is not None and tensor.name in four:
            tensor.bits = 4
    before = name_tensors(model)
    if request.preprocessing is not None:
        said = preprocessing_metadata(model, request.preprocessing, request.layout)
        model.metadata[METADATA] = said
    write_flatbuffer(model, request.path)
    return model, before


def _has_integer_weights(op: Operator) -> bool:
    weight = op.inputs[1] if op.code in WEIGHTED else None
    return weight is not None and weight.constant and weight.quantization is not None


def _encodings(before: Mapping[Tensor, str], planned: Sequence[Encoding]) -> tuple[Encoding, ...]:
    """The encoding of every tensor in the file that has one, in the file's order.

    Those that were planned keep their ranges; biases of matrix products and numbers are the
    compiler's own.

    Args:
        before: The tensors, and what they were called in the float graph.
        planned: By those names.
    """
    known = {(e.tensor, e.scale, e.dtype): e for e in planned}
    found = []
    for tensor, name in before.items():
        if tensor.quantization is not None:
            plan = known.get((name, tensor.quantization.scale, tensor.dtype.name))
            chosen = plan or _encoding(tensor)
            found.append(msgspec.structs.replace(chosen, tensor=tensor.name))
    return tuple(found)


def _encoding(tensor: Tensor) -> Encoding:
    assert tensor.quantization is not None
    quantization = tensor.quantization
    scale, zero = quantization.scale[0], quantization.zero_point[0]
    kind = np.iinfo(tensor.dtype)
    low, high = int(kind.min), int(kind.max)
    if tensor.data is not None:
        low, high = int(tensor.data.min(initial=0)), int(tensor.data.max(initial=0))
    return Encoding(
        tensor=tensor.name,
        dtype=tensor.dtype.name,
        scale=quantization.scale,
        zero_point=quantization.zero_point,
        axis=quantization.axis,
        low=(low - zero) * scale,
        high=(high - zero) * scale,
    )
