"""Every second row and column of an image as a depthwise convolution: XNNPACK has no steps."""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Options, Quantization, Tensor
from edgeopt.converters.tflite.ops.padding import VALID

_LARGEST = 127


def strides_as_convolutions(model: Model) -> None:
    """Replace STRIDED_SLICE by steps over the pixels of a whole image, ``(N, H, W, C)``.

    By a depthwise convolution of a single tap, 1; in 8 bits 127 at a scale of 1/127, which gives
    the same integers. What begins later or ends earlier is cut off first.
    """
    found: list[Operator] = []
    for op in model.operators:
        found += _replaced(op) if _is_image(op) else [op]
    model.operators = found


def _is_image(op: Operator) -> bool:
    data = op.inputs[0] if op.inputs else None
    if op.code != "STRIDED_SLICE" or data is None or len(data.shape) != 4:
        return False
    steps = _numbers(op, 3)
    known = data.dtype == np.float32 or (data.dtype == np.int8 and data.quantization is not None)
    stepping = steps[0] == steps[3] == 1 and min(steps) > 0 and max(steps) > 1
    return known and stepping and data.shape[3] == op.output.shape[3] and data.batched <= {0}


def _replaced(op: Operator) -> list[Operator]:
    data = op.inputs[0]
    assert data is not None
    steps = _numbers(op, 3)[1:3]
    starts, sizes = _numbers(op, 1)[1:3], data.shape[1:3]
    masks = (op.options.fields if op.options else {}).get("beginMask", 0)
    starts = [0 if masks >> n & 1 else s for n, s in enumerate(starts, 1)]
    counts = op.output.shape[1:3]
    before: list[Operator] = []
    ends = [s + (c - 1) * k + 1 for s, c, k in zip(starts, counts, steps, strict=True)]
    whole = [-(-size // k) == c for size, c, k in zip(sizes, counts, steps, strict=True)]
    if any(starts) or not all(whole):
        cut = _cut(op, data, starts, ends)
        before, data = [cut], cut.output
    return [*before, _convolution(op, data, steps)]


def _cut(op: Operator, data: Tensor, starts: list[int], ends: list[int]) -> Operator:
    shape = (data.shape[0], *(e - s for s, e in zip(starts, ends, strict=True)), data.shape[3])
    part = Tensor(
        f"{op.output.name}_cut", data.dtype, shape, data.batched, quantization=data.quantization
    )
    numbers = [[0, *starts, 0], [0, *ends, 0], [1, 1, 1, 1]]
    inputs = [_constant(op, n, values) for n, values in enumerate(numbers)]
    options = Options("StridedSliceOptions", {"beginMask": 0b1001, "endMask": 0b1001})
    return Operator("STRIDED_SLICE", [data, *inputs], [part], options, op.node)


def _convolution(op: Operator, data: Tensor, steps: list[int]) -> Operator:
    channels = data.shape[3]
    integer = data.quantization
    kind = np.dtype(np.float32 if integer is None else np.int8)
    one = np.full((1, 1, 1, channels), 1 if integer is None else _LARGEST, kind)
    weight = Tensor(f"{op.output.name}/one", kind, one.shape, data=one)
    zeros = np.zeros(channels, np.float32 if integer is None else np.int32)
    bias = Tensor(f"{op.output.name}/zero", zeros.dtype, zeros.shape, data=zeros)
    if integer is not None:
        scale = np.float32(1 / _LARGEST)
        weight.quantization = Quantization((float(scale),) * channels, (0,) * channels, 3)
        sums = float(np.float32(integer.scale[0]) * scale)
        bias.quantization = Quantization((sums,) * channels, (0,) * channels, 0)
    options = Options(
        "DepthwiseConv2DOptions",
        {"padding": VALID, "strideH": steps[0], "strideW": steps[1], "depthMultiplier": 1,
         "dilationHFactor": 1, "dilationWFactor": 1},
    )  # fmt: skip
    return Operator("DEPTHWISE_CONV_2D", [data, weight, bias], op.outputs, options, op.node)


def _constant(op: Operator, place: int, values: list[int]) -> Tensor:
    data = np.array(values, np.int32)
    return Tensor(f"{op.output.name}/cut_{place}", data.dtype, data.shape, data=data)


def _numbers(op: Operator, place: int) -> list[int]:
    tensor = op.inputs[place]
    assert tensor is not None
    assert tensor.data is not None
    return [int(n) for n in tensor.data]
