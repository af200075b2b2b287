"""int16x8 ONNX: QDQ pairs with activations of 16 bits and weights of 8.

For accelerators that compute so, through ONNX Runtime or a compiler that reads QDQ. ONNX Runtime's
own CPU kernels compute in float between the pairs.
"""

from __future__ import annotations

from dataclasses import replace

from edgeopt.converters.onnx.qdq import write_qdq
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.precision import Format, Precision

_SLOW = (
    "int16x8 is for accelerators with 16-bit activations: ONNX Runtime on a CPU computes it in "
    "float, slower than fp32"
)


def write_int16x8(request: WriteRequest) -> Written:
    """Write it.

    Raises:
        GateError: If no convolution or matrix product could become integer.
        UnsupportedError: If the model can't be brought to the opset that has 16-bit pairs.
    """
    rules = request.target.rules(Format.ONNX).widened
    written = write_qdq(request, rules, Precision.INT16X8)
    return replace(written, warnings=(*written.warnings, _SLOW))
