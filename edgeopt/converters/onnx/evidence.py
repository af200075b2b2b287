"""What is known of an artifact once it is written."""

from __future__ import annotations

from collections.abc import Sequence

from edgeopt.calibration.saturation import PAIR_LIMIT
from edgeopt.converters.onnx.fusion import check_fusion
from edgeopt.converters.onnx.saturation import pair_bounds
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.errors import GateError
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.precision import Format, Precision
from edgeopt.targets import Runtime, host_architecture

_RUNTIMES = {
    Runtime.ONNXRUNTIME: "ONNX Runtime",
    Runtime.LITERT: "LiteRT",
    Runtime.TENSORRT: "TensorRT",
}


def with_evidence(
    request: WriteRequest,
    planned: Sequence[ir.Node],
    *,
    encodings: tuple[Encoding, ...] = (),
    float_layers: tuple[FloatLayer, ...] = (),
    warnings: tuple[str, ...] = (),
    counted: bool = True,
) -> Written:
    """Ask the runtime what it makes of the artifact at ``request.path``.

    Args:
        request: What it was made from.
        planned: The nodes meant to have integer weights in the runtime's kernels.
        encodings: Every scale in the file.
        float_layers: Those that were left float, and why.
        warnings: What the user should know besides.
        counted: Whether the precision is about integer arithmetic, so that its layers are counted.
    """
    if counted and not request.target.exact_sums:
        warnings = (*warnings, *_may_saturate(request))
    if not request.target.runs_here(Format.ONNX):
        unseen = (_not_seen(request),) if counted else ()
        return Written(encodings, None, float_layers, (*warnings, *unseen))
    fusion = check_fusion(request.path, planned, request.scratch, request.kept.floating)
    return Written(
        encodings=encodings,
        integer_layers=fusion.integer if counted else None,
        float_layers=(*float_layers, *fusion.stayed),
        warnings=(*warnings, *fusion.warnings),
    )


def nothing_integer(precision: Precision, float_layers: Sequence[FloatLayer]) -> GateError:
    """The error for a model of which nothing can have the precision."""
    first = float_layers[0] if float_layers else None
    products_only = precision in (Precision.INT8_DYNAMIC, Precision.INT4_WEIGHT)
    convolves = products_only and (first is None or first.op == "Conv")
    others = "int8, int8-weight or fp16" if convolves else "fp16 or fp32"
    nothing = "matrix products, which it is for" if products_only else "weights to quantize"
    why = f"{first.op} {first.node!r}: {first.reason}" if first else f"it has no {nothing}"
    return GateError(
        f"{precision.value} was asked for, but nothing in this model can be {precision.value} "
        f"({why})",
        hint=f"use --precision {others}",
    )


def _may_saturate(request: WriteRequest) -> tuple[str, ...]:
    unsafe = [bound.node for bound in pair_bounds(request.path) if not bound.safe]
    if not unsafe:
        return ()
    return (
        f"16-bit sums of {len(unsafe)} layers may saturate on {request.target.name} (the first: "
        f"{unsafe[0]!r}): its weights want pair_limit = {PAIR_LIMIT} in the target's profile",
    )


def _not_seen(request: WriteRequest) -> str:
    # The runtime's kernels, and so what it fuses, differ between architectures.
    rules, cpu = request.target.rules(Format.ONNX), request.target.cpu
    where = f" on {cpu.arch}" if cpu is not None else ""
    return (
        f"which layers are integer in {_RUNTIMES[rules.runtime]}{where} can't be seen on this "
        f"{host_architecture()} machine"
    )
