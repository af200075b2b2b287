"""TensorFlow models that our compiler can't express: TFLiteConverter's float graph, our ranges."""

from __future__ import annotations

from collections.abc import Mapping

from edgeopt.calibration.ranges import Range, choose_ranges
from edgeopt.converters.official import tensorflow
from edgeopt.converters.official.agreement import agreeing
from edgeopt.converters.official.quantizer import new_quantizer, quantize, spare
from edgeopt.converters.official.ranges import FileRanges, counterparts, file_ranges, runnable_order
from edgeopt.converters.official.readback import encodings, layers
from edgeopt.converters.onnx.wide import wide_ranges
from edgeopt.converters.sources.tensorflow.program import TensorFlowSource
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.files import write_bytes
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Official, OutsideNode
from edgeopt.core.precision import Precision
from edgeopt.core.tflite_file import read_tflite
from edgeopt.core.tflite_graph import TfliteFile
from edgeopt.data import Sample
from edgeopt.data.random import RandomDataset

OURS = "EdgeOpt"


def write_fp32(request: WriteRequest) -> Written:
    """Everything in float32."""
    tensorflow.write_with(request, lambda _: None)
    return Written(official=_official(request))


def write_fp16(request: WriteRequest) -> Written:
    """Weights in float16."""
    tensorflow.write_with(request, tensorflow.halves)
    return Written(official=_official(request))


def write_int8(request: WriteRequest) -> Written:
    """Static int8 with the ranges that were chosen from the calibration table."""
    assert request.table is not None
    ranges = choose_ranges(request.table, request.ranges, symmetric=False)
    return _static(request, Precision.INT8, ranges)


def write_int16x8(request: WriteRequest) -> Written:
    """Activations of 16 bits, weights of 8, likewise."""
    assert request.table is not None
    return _static(request, Precision.INT16X8, wide_ranges(request.table, symmetric=True))


def write_int8_dynamic(request: WriteRequest) -> Written:
    """Weights of 8 bits, activations rounded by what they are at run time."""
    return _weights(request, Precision.INT8_DYNAMIC)


def write_int8_weight(request: WriteRequest) -> Written:
    """Weights of 8 bits, float arithmetic."""
    return _weights(request, Precision.INT8_WEIGHT)


def _weights(request: WriteRequest, precision: Precision) -> Written:
    tensorflow.write_with(request, lambda _: None)
    made = new_quantizer(request.path, precision)
    write_bytes(request.path, quantize(made, None, request.name))
    return Written(encodings(request.path), official=_official(request))


def _static(request: WriteRequest, precision: Precision, ranges: Mapping[str, Range]) -> Written:
    tensorflow.write_with(request, lambda _: None)
    file = read_tflite(request.path)
    found = _ranges(request, file, ranges)
    lacking = [op for op in file.operators if found.lacks(op)]
    made = new_quantizer(request.path, precision, request.io)
    spare(made, file, lacking)
    write_bytes(request.path, quantize(made, found.by_name(), request.name))
    integer, floating = layers(request.path)
    unknown = tuple(OutsideNode(op.code, file.tensors[op.outputs[0]].spec.name) for op in lacking)
    official = _official(request, found, unknown)
    return Written(encodings(request.path), integer, floating, official=official)


def _ranges(request: WriteRequest, file: TfliteFile, ranges: Mapping[str, Range]) -> FileRanges:
    source = request.source
    assert isinstance(source, TensorFlowSource)
    graph = ir.load(request.graph.path).graph
    pairs = counterparts(file, graph, ranges, runnable_order(source.frozen().graph))
    return file_ranges(
        file, ranges, agreeing(request.path, request.graph, pairs, _one_sample(request))
    )


def _one_sample(request: WriteRequest) -> Sample:
    given = next(iter(request.calibration()), None)
    return given or next(RandomDataset(request.graph.inputs).samples())


def _official(
    request: WriteRequest, found: FileRanges | None = None, unknown: tuple[OutsideNode, ...] = ()
) -> Official:
    if found is None:
        return Official(tensorflow.CONVERTER, reason=request.reason)
    return Official(
        tensorflow.CONVERTER,
        ranges=OURS,
        reason=request.reason,
        named=len(found.named),
        derived=len(found.derived),
        unknown=unknown,
    )
