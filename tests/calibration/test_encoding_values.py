"""Encodings number by number, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgeopt.calibration.encodings import (
    bias_floor,
    dequantized,
    encode_fixed,
    encode_range,
    integer_limits,
    quantize_bias,
    quantize_weight,
    weight_scales,
)
from edgeopt.calibration.ranges import Range
from edgeopt.core.manifest import Encoding
from edgeopt.targets import FixedEncoding, TensorRule

PER_CHANNEL = TensorRule(dtype="int8", symmetric=True, per_channel=True)
PER_TENSOR = TensorRule(dtype="int8", symmetric=True)
SMALLEST = float(np.float32(1e-12))


def rule(dtype: str, bits: int = 8, *, symmetric: bool = False) -> TensorRule:
    return TensorRule(dtype=dtype, bits=bits, symmetric=symmetric)  # type: ignore[arg-type]


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("dtype", "bits", "symmetric", "limits"),
    [
        ("uint8", 8, False, (0, 255)),
        ("uint8", 8, True, (0, 255)),
        ("uint8", 7, False, (0, 127)),
        ("int8", 8, False, (-128, 127)),
        ("int8", 8, True, (-127, 127)),
        ("int8", 7, True, (-63, 63)),
        ("int16", 16, False, (-32768, 32767)),
        ("int16", 16, True, (-32767, 32767)),
    ],
)
def test_the_integers_that_a_rule_uses(
    dtype: str, bits: int, symmetric: bool, limits: tuple[int, int]
) -> None:
    assert integer_limits(rule(dtype, bits, symmetric=symmetric)) == limits


@pytest.mark.parametrize(
    ("dtype", "symmetric", "low", "high", "scale", "zero", "ends"),
    [
        ("uint8", False, -1.0, 4.1, 0.02, 50, (-1.0, 4.1)),
        ("int8", False, -1.0, 4.1, 0.02, -78, (-1.0, 4.1)),
        ("int8", True, -1.0, 2.54, 0.02, 0, (-2.54, 2.54)),
        ("int8", True, -2.54, 1.0, 0.02, 0, (-2.54, 2.54)),
        ("uint8", True, -1.0, 2.54, 0.02, 128, (-2.56, 2.54)),
        # The zero point is rounded to the nearest, 49.6 to 50, and the ends move with it.
        ("uint8", False, -0.992, 4.108, 0.02, 50, (-1.0, 4.1)),
        ("uint8", False, 0.0, 0.0, SMALLEST, 0, (0.0, 255 * SMALLEST)),
        ("int8", True, 0.0, 0.0, SMALLEST, 0, (-127 * SMALLEST, 127 * SMALLEST)),
        ("uint8", False, -5.1, 0.0, 0.02, 255, (-5.1, 0.0)),
    ],
)
def test_a_range_as_scale_and_zero_point(
    dtype: str,
    symmetric: bool,
    low: float,
    high: float,
    scale: float,
    zero: int,
    ends: tuple[float, float],
) -> None:
    found = encode_range("x", Range(low=low, high=high), rule(dtype, symmetric=symmetric))
    assert (found.tensor, found.dtype, found.axis) == ("x", dtype, None)
    assert found.scale == pytest.approx((scale,), rel=1e-6)
    assert found.zero_point == (zero,)
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-6)
    assert found.scale[0] == np.float32(found.scale[0])


@pytest.mark.parametrize(
    ("zero", "ends"),
    [(-128, (0.0, 255 / 256)), (0, (-0.5, 127 / 256)), (2, (-130 / 256, 125 / 256))],
)
def test_a_fixed_encoding_is_taken_as_it_is(zero: int, ends: tuple[float, float]) -> None:
    fixed = FixedEncoding(scale=1 / 256, zero_point=zero)
    assert encode_fixed("p", fixed, TensorRule(dtype="int8")) == Encoding(
        tensor="p",
        dtype="int8",
        scale=(1 / 256,),
        zero_point=(zero,),
        axis=None,
        low=ends[0],
        high=ends[1],
    )


WEIGHT = np.array([[0.5, -1.27], [0.0, 0.0], [2.54, 0.635]], np.float32)


@pytest.mark.parametrize(
    ("kind", "axis", "scales"),
    [
        (PER_CHANNEL, 0, [0.01, SMALLEST, 0.02]),
        (PER_CHANNEL, 1, [0.02, 0.01]),
        (PER_TENSOR, 0, [0.02, 0.02, 0.02]),
    ],
)
def test_scales_of_weights(kind: TensorRule, axis: int, scales: list[float]) -> None:
    found = weight_scales(WEIGHT, axis, kind)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scales, rtol=1e-6)


def test_weights_without_values_have_the_smallest_scale() -> None:
    none = np.zeros((2, 0), np.float32)
    np.testing.assert_array_equal(weight_scales(none, 0, PER_CHANNEL), floats(SMALLEST, SMALLEST))
    empty = np.zeros((0, 2), np.float32)
    assert weight_scales(empty, 0, PER_TENSOR).shape == (0,)
    assert weight_scales(empty, 0, PER_TENSOR, floats()).shape == (0,)


def test_one_scale_is_the_largest_channels() -> None:
    small = floats(0.127, -0.254, 0.0).reshape(3, 1)
    np.testing.assert_allclose(weight_scales(small, 0, PER_TENSOR), [0.002] * 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "scales"), [(PER_CHANNEL, [0.03, 0.005, 0.02]), (PER_TENSOR, [0.03] * 3)]
)
def test_a_floor_lifts_scales(kind: TensorRule, scales: list[float]) -> None:
    floor = np.array([0.03, 0.005, 0.001], np.float32)
    np.testing.assert_allclose(weight_scales(WEIGHT, 0, kind, floor), scales, rtol=1e-6)


def test_the_floor_of_a_bias_leaves_it_thirty_bits() -> None:
    found = bias_floor(np.array([-3.0, 6.0], np.float32), 0.5)
    np.testing.assert_allclose(found, [6 / 2**30, 12 / 2**30], rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("axis", "integers"),
    [(0, [[50, -127], [0, 0], [127, 32]]), (1, [[25, -127], [0, 0], [127, 64]])],
)
def test_weights_are_rounded_along_their_axis(axis: int, integers: list[list[int]]) -> None:
    scales = weight_scales(WEIGHT, axis, PER_CHANNEL)
    found, encoding = quantize_weight("w", WEIGHT, axis, scales, PER_CHANNEL)
    assert found.tolist() == integers
    assert found.dtype == np.int8
    assert encoding.axis == axis
    assert encoding.scale == tuple(map(float, scales))
    assert encoding.zero_point == (0,) * len(scales)
    assert (encoding.low, encoding.high) == pytest.approx((-1.27, 2.54))
    assert (encoding.tensor, encoding.dtype) == ("w", "int8")


def test_one_scale_has_no_axis() -> None:
    scales = weight_scales(WEIGHT, 0, PER_TENSOR)
    found, encoding = quantize_weight("w", WEIGHT, 0, scales, PER_TENSOR)
    assert found.tolist() == [[25, -64], [0, 0], [127, 32]]
    assert (encoding.axis, encoding.zero_point) == (None, (0,))
    assert encoding.scale == (float(scales[0]),)


def test_a_weight_beyond_its_scale_is_clipped() -> None:
    found, _ = quantize_weight("w", WEIGHT, 0, floats(0.001, 0.001, 0.001), PER_CHANNEL)
    assert found.tolist() == [[127, -127], [0, 0], [127, 127]]


def test_the_ends_of_weights_hold_zero() -> None:
    for weight, ends in ((WEIGHT + 3, (0.0, 5.54)), (WEIGHT - 3, (-4.27, 0.0))):
        _, encoding = quantize_weight("w", weight, 0, np.ones(3, np.float32), PER_CHANNEL)
        assert (encoding.low, encoding.high) == pytest.approx(ends)


def test_weights_are_read_back_along_their_axis() -> None:
    integers = np.array([[1, -2], [3, 4]], np.int8)
    scales = np.array([0.5, 2], np.float32)
    assert dequantized(integers, scales, 0).tolist() == [[0.5, -1.0], [6.0, 8.0]]
    assert dequantized(integers, scales, 1).tolist() == [[0.5, -4.0], [1.5, 8.0]]
    assert dequantized(integers, scales, 1).dtype == np.float32


def test_a_bias_is_rounded_on_the_scale_of_its_sums() -> None:
    bias = np.array([1.0, -3.7], np.float32)
    found, encoding = quantize_bias("b", bias, 0.5, np.array([0.25, 2], np.float32))
    assert found.tolist() == [8, -4]
    assert found.dtype == np.int32
    assert (encoding.tensor, encoding.dtype, encoding.axis) == ("b", "int32", 0)
    assert (encoding.scale, encoding.zero_point) == ((0.125, 1.0), (0, 0))
    assert (encoding.low, encoding.high) == pytest.approx((-3.7, 1.0))


def test_a_bias_on_one_scale_has_no_axis_and_its_ends_hold_zero() -> None:
    one = np.array([1], np.float32)
    for bias, ends in ((2.0, (0.0, 2.0)), (-2.0, (-2.0, 0.0))):
        _, encoding = quantize_bias("b", floats(bias), 1.0, one)
        assert (encoding.axis, encoding.low, encoding.high) == (None, *ends)


def test_a_bias_that_would_overflow_stays_at_the_end() -> None:
    bias = np.array([1e12, -1e12], np.float32)
    found, _ = quantize_bias("b", bias, 1.0, np.array([1, 1], np.float32))
    assert found.tolist() == [2**31 - 1, -(2**31) + 1]
