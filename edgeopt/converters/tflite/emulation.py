"""What XNNPACK's 8-bit kernels give, bit for bit, in numpy.

So that a file can be held against its scales for equality instead of a tolerance. Its kernels
multiply 32-bit sums by a float32 and round half to even; ADD and SUB multiply by 20-bit integers,
and a QUANTIZE of integers by 8-bit ones (XNNPACK's ``qs8-requantization``, ``qs8-vadd`` and
``qs8-vcvt`` reference kernels; held against whole nets by tests).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Tensor
from edgeopt.converters.tflite.ops.padding import SAME, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Wide = NDArray[np.int64]

_ADD_BITS = 20
_RELUS = {1: (0.0, np.inf), 2: (-1.0, 1.0), 3: (0.0, 6.0)}


def emulate(model: Model, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Run a model as XNNPACK would.

    Args:
        model: As the compiler gives it, every operator one of those below.
        inputs: By the signature's names, as the file takes them.

    Raises:
        NotImplementedError: If an operator isn't emulated.
    """
    values: dict[Tensor, Array] = {
        tensor: np.asarray(inputs[name])
        for name, tensor in zip(model.names[0], model.inputs, strict=True)
    }

    def value(tensor: Tensor | None) -> Array:
        assert tensor is not None
        return tensor.data if tensor.data is not None else values[tensor]

    for op in model.operators:
        floats = op.code in _FLOATS and op.output.quantization is None
        run = _arithmetic if floats else _KERNELS.get(op.code)
        if run is None:
            raise NotImplementedError(op.code)
        values[op.output] = run(op, [None if t is None else value(t) for t in op.inputs])
    return {name: value(tensor) for name, tensor in zip(model.names[1], model.outputs, strict=True)}


def requantized(sums: Wide, factors: NDArray[np.float32], zero_point: int) -> Wide:
    """``round(float32(sum) * factor) + zero_point``, half to even.

    Args:
        sums: 32-bit sums, channels last.
        factors: ``s_in * s_w / s_out`` in float32, one or one a channel.
        zero_point: The output's.
    """
    rounded: Wide = np.rint(sums.astype(np.float32) * factors).astype(np.int64) + zero_point
    return rounded


def _arithmetic(op: Operator, inputs: list[Array | None]) -> Array:
    """Floats before the first integers, and after the last."""
    found: Array = _FLOATS[op.code](*inputs).reshape(op.output.shape)
    return found


def _quantize(op: Operator, inputs: list[Array | None]) -> Array:
    (data,) = inputs
    assert data is not None
    scale, zero = _encoding(op.output)
    source = op.inputs[0]
    assert source is not None
    if source.quantization is not None:
        own, own_zero = _encoding(source)
        factor = int(np.rint(np.float32(256) * (own / scale)))
        steps = (data.astype(np.int64) - own_zero) * factor + (zero << 8) + 0x80
        return _clipped(op, steps >> 8)
    steps = np.rint(data * (np.float32(1) / scale)).astype(np.int64)
    return _clipped(op, steps + zero)


def _dequantize(op: Operator, inputs: list[Array | None]) -> Array:
    (data,) = inputs
    assert data is not None
    scale, zero = _encoding(op.inputs[0])
    return (data.astype(np.int32) - zero).astype(np.float32) * scale


def _convolution(op: Operator, inputs: list[Array | None]) -> Array:
    data, weight, bias = inputs
    assert data is not None
    assert weight is not None
    assert bias is not None
    window = _window(op, weight.shape[1:3], data.shape[1:3])
    wide = _padded_pixels(op, data, window)
    if op.code == "DEPTHWISE_CONV_2D":
        sums = _depthwise_sums(wide, weight, window, op.output.shape[1:3])
    else:
        sums = _conv_sums(wide, weight, window, op.output.shape[1:3])
    return _finished(op, sums + bias.astype(np.int64))


def _fully_connected(op: Operator, inputs: list[Array | None]) -> Array:
    data, weight = inputs[0], inputs[1]
    assert data is not None
    assert weight is not None
    zero = _encoding(op.inputs[0])[1]
    # Exact in float64: sums of 8-bit products are far below 2^53.
    sums = (data.astype(np.float64) - zero) @ weight.astype(np.float64).T
    bias = inputs[2] if len(inputs) > 2 else None
    whole = sums.astype(np.int64)
    return _finished(op, whole if bias is None else whole + bias.astype(np.int64))


def _add(op: Operator, inputs: list[Array | None]) -> Array:
    (scale, zero) = _encoding(op.output)
    sides = [_encoding(tensor) for tensor in op.inputs]
    ratios = [np.float32(own / scale) for own, _ in sides]
    shift = _ADD_BITS - int(np.floor(np.log2(max(ratios))))
    signs = (1, -1) if op.code == "SUB" else (1, 1)
    total: Any = np.int64(1) << (shift - 1)
    for sign, ratio, (_, own_zero), data in zip(signs, ratios, sides, inputs, strict=True):
        assert data is not None
        factor = sign * int(np.rint(np.float64(ratio) * 2.0**shift))
        total = total + factor * (data.astype(np.int64) - own_zero)
    return _clipped(op, (total >> shift) + zero)


def _mul(op: Operator, inputs: list[Array | None]) -> Array:
    scale, zero = _encoding(op.output)
    (one, one_zero), (two, two_zero) = (_encoding(t) for t in op.inputs)
    a, b = inputs
    assert a is not None
    assert b is not None
    products = (a.astype(np.int64) - one_zero) * (b.astype(np.int64) - two_zero)
    return _clipped(op, requantized(products, np.float32(one * two / scale), zero))  # type: ignore[arg-type]


def _mean(op: Operator, inputs: list[Array | None]) -> Array:
    data, axes = inputs
    assert data is not None
    assert axes is not None
    own, own_zero = _encoding(op.inputs[0])
    scale, zero = _encoding(op.output)
    places = tuple(int(a) for a in axes.reshape(-1))
    count = int(np.prod([data.shape[p] for p in places]))
    sums = data.astype(np.int64).sum(places, keepdims=True) - count * own_zero
    factor = np.float32(np.float32(own / scale) / np.float32(count))
    return _clipped(op, requantized(sums, factor, zero)).reshape(op.output.shape)  # type: ignore[arg-type]


def _max_pool(op: Operator, inputs: list[Array | None]) -> Array:
    (data,) = inputs
    assert data is not None
    fields = _fields(op)
    window = _window(op, (fields["filterHeight"], fields["filterWidth"]), data.shape[1:3])
    low = np.iinfo(data.dtype).min
    taps = _taps(np.pad(data, _pads(window, data.shape[1:3]), constant_values=low), window,
                 op.output.shape[1:3])  # fmt: skip
    return _clipped(op, np.max([tap for _, tap in taps], axis=0).astype(np.int64))


def _pad(op: Operator, inputs: list[Array | None]) -> Array:
    data, amounts = inputs
    assert data is not None
    assert amounts is not None
    return np.pad(data, amounts, constant_values=_encoding(op.inputs[0])[1])


def _transpose(_: Operator, inputs: list[Array | None]) -> Array:
    data, order = inputs
    assert data is not None
    assert order is not None
    return data.transpose([int(n) for n in order])


def _reshape(op: Operator, inputs: list[Array | None]) -> Array:
    assert inputs[0] is not None
    return inputs[0].reshape(op.output.shape)


def _concatenation(op: Operator, inputs: list[Array | None]) -> Array:
    parts = [data for data in inputs if data is not None]
    return np.concatenate(parts, axis=_fields(op)["axis"])


def _slice(op: Operator, inputs: list[Array | None]) -> Array:
    data, starts, _ = inputs
    assert data is not None
    assert starts is not None
    spans = zip(starts, op.output.shape, strict=True)
    return data[tuple(slice(int(start), int(start) + size) for start, size in spans)]


_FLOATS: dict[str, Callable[..., Array]] = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "DIV": np.divide,
}

_KERNELS: dict[str, Callable[[Operator, list[Array | None]], Array]] = {
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _add,
    "SUB": _add,
    "MUL": _mul,
    "MEAN": _mean,
    "MAX_POOL_2D": _max_pool,
    "CONCATENATION": _concatenation,
    "SLICE": _slice,
    "PAD": _pad,
    "TRANSPOSE": _transpose,
    "RESHAPE": _reshape,
}


def _encoding(tensor: Tensor | None) -> tuple[np.float32, int]:
    assert tensor is not None
    assert tensor.quantization is not None
    return np.float32(tensor.quantization.scale[0]), tensor.quantization.zero_point[0]


def _fields(op: Operator) -> dict[str, Any]:
    assert op.options is not None
    return op.options.fields


def _finished(op: Operator, sums: Wide) -> Array:
    """A layer's output from its sums."""
    data, weight = op.inputs[0], op.inputs[1]
    assert weight is not None
    assert weight.quantization is not None
    own, _ = _encoding(data)
    scale, zero = _encoding(op.output)
    factors = (own * np.array(weight.quantization.scale, np.float32)) / scale
    return _clipped(op, requantized(sums, factors.astype(np.float32), zero))


def _clipped(op: Operator, integers: Wide) -> Array:
    """Integers within their type, and within the activation that is fused into the operator."""
    kind = op.output.dtype
    ends = np.iinfo(kind)
    low, high = int(ends.min), int(ends.max)
    fused = 0 if op.options is None else op.options.fields.get("fusedActivationFunction", 0)
    if fused:
        scale, zero = _encoding(op.output)
        bounds = [np.clip(np.rint(b / scale) + zero, low, high) for b in _RELUS[fused]]
        low, high = int(bounds[0]), int(bounds[1])
    clipped: Array = np.clip(integers, low, high).astype(kind)
    return clipped


def _window(op: Operator, kernel: tuple[int, ...], sizes: tuple[int, ...]) -> Window:
    fields = _fields(op)
    dilations = (fields.get("dilationHFactor", 1), fields.get("dilationWFactor", 1))
    strides = (fields["strideH"], fields["strideW"])
    window = Window(tuple(kernel), strides, dilations, (0, 0), (0, 0))
    if fields["padding"] != SAME:
        return window
    totals = window.same(sizes)
    before = tuple(t // 2 for t in totals)
    after = tuple(t - b for t, b in zip(totals, before, strict=True))
    return Window(tuple(kernel), strides, dilations, before, after)


def _pads(window: Window, sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(0, 0), *window.needed(sizes), (0, 0)]


def _padded_pixels(op: Operator, data: Array, window: Window) -> Array:
    """The image less its zero point, padded with what stands for 0."""
    real = data.astype(np.float64) - _encoding(op.inputs[0])[1]
    return np.pad(real, _pads(window, data.shape[1:3]))


def _taps(
    image: Array, window: Window, sizes: tuple[int, ...]
) -> list[tuple[tuple[int, int], Array]]:
    """For each tap of the kernel what it sees at every place, ``(N, h, w, C)``."""
    found = []
    for row in range(window.kernel[0]):
        for column in range(window.kernel[1]):
            top, left = row * window.dilations[0], column * window.dilations[1]
            part = image[
                :,
                top : top + (sizes[0] - 1) * window.strides[0] + 1 : window.strides[0],
                left : left + (sizes[1] - 1) * window.strides[1] + 1 : window.strides[1],
            ]
            found.append(((row, column), part))
    return found


def _conv_sums(image: Array, weight: Array, window: Window, sizes: tuple[int, ...]) -> Wide:
    outputs, groups = weight.shape[0], image.shape[3] // weight.shape[3]
    sums = np.zeros((image.shape[0], *sizes, outputs))
    each, inputs = outputs // groups, weight.shape[3]
    for (row, column), part in _taps(image, window, sizes):
        for g in range(groups):
            rows = weight[g * each : (g + 1) * each, row, column].astype(np.float64)
            sums[..., g * each : (g + 1) * each] += (
                part[..., g * inputs : (g + 1) * inputs] @ rows.T
            )
    return sums.astype(np.int64)


def _depthwise_sums(image: Array, weight: Array, window: Window, sizes: tuple[int, ...]) -> Wide:
    multiplier = weight.shape[3] // image.shape[3]
    sums = np.zeros((image.shape[0], *sizes, weight.shape[3]))
    for (row, column), part in _taps(image, window, sizes):
        sums += np.repeat(part, multiplier, axis=3) * weight[0, row, column].astype(np.float64)
    return sums.astype(np.int64)
