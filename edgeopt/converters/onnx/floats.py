"""fp32 and fp16 ONNX."""

from __future__ import annotations

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
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    from edgeopt.converters.simplify import clean

    with quiet("ONNX Runtime's float16 converter"):
        half = convert_float_to_float16(onnx.load(request.graph.path), keep_io_types=True)
    model = ir.from_proto(half)
    clean(model)
    save_whole(model, request.path)
    return Written()
