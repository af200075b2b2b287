"""TensorRT engines and kits, a function a precision."""

from __future__ import annotations

from edgeopt.converters.tensorrt import delivery
from edgeopt.converters.tensorrt.building import build_engine
from edgeopt.converters.tensorrt.delivery import Builder
from edgeopt.converters.tensorrt.kit import write_kit
from edgeopt.converters.tensorrt.lint import check_rules
from edgeopt.converters.tensorrt.prepare import (
    Prepared,
    prepare_fp16,
    prepare_fp32,
    prepare_int4_weight,
    prepare_int8,
    prepare_int8_weight,
)
from edgeopt.converters.tensorrt.readback import read_back
from edgeopt.converters.tensorrt.shapes import shape_ranges
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.manifest import Engine, EngineLayer, ShapeRange
from edgeopt.core.onnx_file import save_whole
from edgeopt.targets import Gpu


def write_fp32(request: WriteRequest) -> Written:
    """Everything in float32."""
    return _deliver(request, prepare_fp32(request))


def write_fp16(request: WriteRequest) -> Written:
    """Everything in float16, float32 in and out."""
    return _deliver(request, prepare_fp16(request))


def write_int8(request: WriteRequest) -> Written:
    """Static int8: symmetric, activations from the shared table.

    Raises:
        GateError: If no layer could become integer, or TensorRT made none so.
    """
    return _deliver(request, prepare_int8(request))


def write_int8_weight(request: WriteRequest) -> Written:
    """Weights of 8 bits, float arithmetic.

    Raises:
        GateError: If no layer has constant weights.
    """
    return _deliver(request, prepare_int8_weight(request))


def write_int4_weight(request: WriteRequest) -> Written:
    """Matrix products with weights of 4 bits, float arithmetic.

    Raises:
        GateError: If no matrix product suits.
    """
    return _deliver(request, prepare_int4_weight(request))


def _deliver(request: WriteRequest, prepared: Prepared) -> Written:
    onnx = request.scratch / f"{request.path.name}.onnx"
    save_whole(prepared.model, onnx)
    floating = frozenset(layer.node for layer in prepared.float_layers)
    check_rules(prepared.model.graph, request.name, floating)
    shapes = shape_ranges(request.graph.inputs, request.build.ranges)
    builder, gpu = delivery.builder_for(request.target), request.target.gpu
    assert gpu is not None, "checked when the options were read"
    if builder is None:
        write_kit(request, prepared, onnx, shapes)
        return Written(
            encodings=prepared.encodings,
            float_layers=prepared.float_layers,
            warnings=prepared.warnings,
            engine=Engine(None, gpu.compute_capability, shapes),
            stand_in=onnx,
        )
    built = build_engine(builder, onnx, request.path, shapes, request.build, request.name)
    back = read_back(built.layers, prepared.planned)
    return Written(
        encodings=prepared.encodings,
        integer_layers=back.integer if prepared.planned else None,
        float_layers=(*prepared.float_layers, *back.stayed),
        warnings=(*prepared.warnings, *back.warnings),
        engine=_engine(builder, built.version, gpu, shapes, back.layers),
        stand_in=onnx,
    )


def _engine(
    builder: Builder,
    version: str,
    gpu: Gpu,
    shapes: tuple[ShapeRange, ...],
    layers: tuple[EngineLayer, ...],
) -> Engine:
    return Engine(f"{builder.module} {version}", gpu.compute_capability, shapes, layers)
