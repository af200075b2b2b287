"""QDQ ONNX: QuantizeLinear and DequantizeLinear pairs where the plan wants integers."""

from __future__ import annotations

from edgeopt.converters.onnx.evidence import with_evidence
from edgeopt.converters.onnx.masks import floor_masked_scores
from edgeopt.converters.onnx.placement import place
from edgeopt.converters.onnx.product_biases import integer_product_biases
from edgeopt.converters.onnx.quantized import quantized
from edgeopt.converters.onnx.residuals import residuals_as_sums
from edgeopt.converters.onnx.tables import quantize_tables
from edgeopt.converters.simplify import clean
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.manifest import Encoding
from edgeopt.core.onnx_file import save_whole
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
    made = quantized(request, rules, precision, place)
    biases: tuple[Encoding, ...] = ()
    if rules.integer_bias:
        biases = integer_product_biases(made.model.graph, made.planned)
    if rules.residual_sums:
        residuals_as_sums(made.model.graph)
    if rules.masked_floors:
        floor_masked_scores(made.model.graph)
    tables = quantize_tables(made.model.graph, request.kept.floating)
    clean(made.model)
    save_whole(made.model, request.path)
    return with_evidence(
        request,
        made.planned,
        encodings=(*made.encodings, *biases, *tables),
        float_layers=made.float_layers,
        warnings=made.warnings,
        counted=rules.activation.bits != 16,
    )
