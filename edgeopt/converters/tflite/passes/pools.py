"""Integer average pools as depthwise convolutions, which XNNPACK has a kernel for."""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Options, Quantization, Tensor
from edgeopt.converters.tflite.ops.padding import VALID

_LARGEST = 127


def pools_as_convolutions(model: Model) -> None:
    """Replace 8-bit AVERAGE_POOL_2D without padding: every weight 127 at a scale of 1/(127 k^2).

    Ensures that none is left. Exact: the sum of k^2 integers times 127 fits into 32 bits.
    """
    model.operators = [_convolution(op) if _is_pool(op) else op for op in model.operators]


def _is_pool(op: Operator) -> bool:
    if op.code != "AVERAGE_POOL_2D" or op.options is None:
        return False
    return op.output.dtype == np.int8 and op.options.fields["padding"] == VALID


def _convolution(op: Operator) -> Operator:
    data = op.inputs[0]
    assert data is not None
    assert data.quantization is not None
    assert op.options is not None
    fields = op.options.fields
    height, width, channels = fields["filterHeight"], fields["filterWidth"], data.shape[3]
    scale = np.float32(1 / (_LARGEST * height * width))
    weight = Tensor(
        f"{op.node}/mean", np.dtype(np.int8), (1, height, width, channels),
        data=np.full((1, height, width, channels), _LARGEST, np.int8),
        quantization=Quantization((float(scale),) * channels, (0,) * channels, 3),
    )  # fmt: skip
    sums = float(np.float32(data.quantization.scale[0]) * scale)
    bias = Tensor(
        f"{op.node}/zero", np.dtype(np.int32), (channels,), data=np.zeros(channels, np.int32),
        quantization=Quantization((sums,) * channels, (0,) * channels, 0),
    )  # fmt: skip
    kept = {k: v for k, v in fields.items() if k.startswith(("padding", "stride", "fused"))}
    options = Options("DepthwiseConv2DOptions", {**kept, "depthMultiplier": 1})
    return Operator("DEPTHWISE_CONV_2D", [data, weight, bias], op.outputs, options, op.node)
