"""From a range to scale and zero point, by the target's rules.

The scales here are float32, bit for bit what goes into the artifact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.ranges import Range
from edgeopt.core.manifest import Encoding
from edgeopt.targets import FixedEncoding, TensorRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SMALLEST_SCALE = np.float32(1e-12)
"""Keeps an all-zero tensor's scale positive and far from float32's denormals."""


def integer_limits(rule: TensorRule) -> tuple[int, int]:
    """The smallest and largest integer that a rule uses.

    A symmetric one leaves out the most negative value, so that both signs reach equally far.

    >>> integer_limits(TensorRule(dtype="uint8"))
    (0, 255)
    >>> integer_limits(TensorRule(dtype="int8", bits=7, symmetric=True))
    (-63, 63)
    >>> integer_limits(TensorRule(dtype="uint16", bits=16))
    (0, 65535)
    """
    half = 1 << (rule.bits - 1)
    if rule.dtype.startswith("u"):
        return 0, 2 * half - 1
    return (-half + 1 if rule.symmetric else -half), half - 1


def encode_range(tensor: str, chosen: Range, rule: TensorRule) -> Encoding:
    """One scale and zero point for a tensor.

    Asymmetric: ``scale = (high - low) / (qmax - qmin)`` and ``zero_point = qmin - round(low /
    scale)``; symmetric: ``scale = max(|low|, |high|) / qmax``, zero point at the middle (Jacob
    2018, section 2.1).

    Args:
        tensor: Its name in the float graph.
        chosen: Holds 0.
        rule: The target's.
    """
    low_q, high_q = integer_limits(rule)
    low, high = np.float32(chosen.low), np.float32(chosen.high)
    if rule.symmetric:
        middle = 1 << (rule.bits - 1) if rule.dtype.startswith("u") else 0
        scale = max(np.float32(max(-low, high) / np.float32(high_q - middle)), _SMALLEST_SCALE)
        zero_point = middle
    else:
        scale = max(np.float32((high - low) / np.float32(high_q - low_q)), _SMALLEST_SCALE)
        zero_point = int(np.clip(low_q - np.rint(low / scale), low_q, high_q))
    return Encoding(
        tensor=tensor,
        dtype=rule.dtype,
        scale=(float(scale),),
        zero_point=(zero_point,),
        axis=None,
        low=float((low_q - zero_point) * scale),
        high=float((high_q - zero_point) * scale),
    )


def encode_fixed(tensor: str, fixed: FixedEncoding, rule: TensorRule) -> Encoding:
    """The one encoding that a runtime's kernels take for a tensor."""
    low_q, high_q = integer_limits(rule)
    scale = np.float32(fixed.scale)
    return Encoding(
        tensor=tensor,
        dtype=rule.dtype,
        scale=(float(scale),),
        zero_point=(fixed.zero_point,),
        axis=None,
        low=float((low_q - fixed.zero_point) * scale),
        high=float((high_q - fixed.zero_point) * scale),
    )


def weight_scales(
    weight: Floats, axis: int, rule: TensorRule, floor: Floats | None = None
) -> Floats:
    """The symmetric scales of constant weights: ``absmax / qmax``.

    Args:
        weight: Any shape.
        axis: The output channels' axis.
        rule: Symmetric; one scale a channel, or one for all.
        floor: The least scale each channel may have, ``(channels,)``.

    Returns:
        ``(channels,)`` float32; all equal for one scale a tensor.
    """
    others = tuple(a for a in range(weight.ndim) if a != axis)
    largest = np.abs(weight).max(axis=others, initial=0.0)
    if not rule.per_channel:
        largest = np.full_like(largest, largest.max(initial=0.0))
    scales = np.maximum(largest / np.float32(integer_limits(rule)[1]), _SMALLEST_SCALE)
    if floor is not None:
        scales = np.maximum(scales, floor if rule.per_channel else floor.max(initial=0.0))
    result: Floats = scales.astype(np.float32)
    return result


def bias_floor(bias: Floats, input_scale: float) -> Floats:
    """The least weight scale with which an int32 bias can't overflow: ``|b| / (s_in * 2^30)``.

    An all-zero channel with a bias would otherwise need a bias beyond int32.
    """
    floor: Floats = (np.abs(bias) / np.float32(input_scale * 2.0**30)).astype(np.float32)
    return floor


def quantize_weight(
    tensor: str, weight: Floats, axis: int, scales: Floats, rule: TensorRule
) -> tuple[NDArray[np.int8], Encoding]:
    """Round weights to nearest, half to even.

    Returns:
        The integers, of ``weight``'s shape, and their encoding.
    """
    low_q, high_q = integer_limits(rule)
    shape = [1] * weight.ndim
    shape[axis] = -1
    steps = np.rint(weight / scales.reshape(shape))
    integers = np.clip(steps, low_q, high_q).astype(np.int8)
    kept = scales if rule.per_channel else scales[:1]
    encoding = Encoding(
        tensor=tensor,
        dtype=rule.dtype,
        scale=tuple(map(float, kept)),
        zero_point=(0,) * len(kept),
        axis=axis if len(kept) > 1 else None,
        low=float(weight.min(initial=0.0)),
        high=float(weight.max(initial=0.0)),
    )
    return integers, encoding


def dequantized(integers: NDArray[np.int8], scales: Floats, axis: int) -> Floats:
    """The real weights that integers stand for, of the same shape."""
    shape = [1] * integers.ndim
    shape[axis] = -1
    result: Floats = integers.astype(np.float32) * scales.reshape(shape)
    return result


def quantize_bias(
    tensor: str, bias: Floats, input_scale: float, weight_scale: Floats
) -> tuple[NDArray[np.int32], Encoding]:
    """An int32 bias whose scale is that of the sums it is added to: ``s_input * s_weight``.

    Args:
        tensor: Its name.
        bias: ``(channels,)``.
        input_scale: The input's scale.
        weight_scale: ``(channels,)`` or ``(1,)``.
    """
    scales = (np.float32(input_scale) * weight_scale).astype(np.float32)
    limit = 2**31 - 1
    integers = np.clip(np.rint(bias.astype(np.float64) / scales), -limit, limit).astype(np.int32)
    encoding = Encoding(
        tensor=tensor,
        dtype="int32",
        scale=tuple(map(float, scales)),
        zero_point=(0,) * len(scales),
        axis=0 if len(scales) > 1 else None,
        low=float(bias.min(initial=0.0)),
        high=float(bias.max(initial=0.0)),
    )
    return integers, encoding
