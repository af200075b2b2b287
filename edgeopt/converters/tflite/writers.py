"""TFLite artifacts, a function a precision."""

from __future__ import annotations

from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ir import ir
from edgeopt.core.layout import Layout


def write_fp32(request: WriteRequest) -> Written:
    """Everything in float32."""
    content = compile_bytes(
        ir.load(request.graph.path),
        channels_last=request.layout is Layout.NHWC,
        name=request.name,
    )
    request.path.write_bytes(content)
    return Written()
