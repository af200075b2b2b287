"""fp32 and fp16 ONNX."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.onnx_file import save_whole
from edgeopt.core.quiet import quiet


def write_fp32(request: WriteRequest) -> Written:
    """The float graph as it is."""
    save_whole(ir.load(request.graph.path), request.path)
    return Written()


def write_fp16(request: WriteRequest) -> Written:
    """Weights and arithmetic in float16, inputs and outputs in float32."""
    model = halved(request.graph.path)
    save_whole(model, request.path)
    return Written()


def halved(path: Path) -> ir.Model:
    """A float graph in float16, with casts where it takes and gives float32.

    Args:
        path: The float graph.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    from edgeopt.converters.simplify import clean

    with quiet("ONNX Runtime's float16 converter"):
        half = convert_float_to_float16(onnx.load(path), keep_io_types=True)
    model: ir.Model = ir.from_proto(half)
    clean(model)
    return model
