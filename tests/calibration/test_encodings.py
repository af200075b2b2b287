"""Laws of the encodings, held over ranges and weights of any size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeopt.calibration.encodings import (
    bias_floor,
    encode_range,
    integer_limits,
    quantize_bias,
    quantize_weight,
    weight_scales,
)
from edgeopt.calibration.ranges import Range
from edgeopt.targets import TensorRule

UINT8 = TensorRule(dtype="uint8")
INT8 = TensorRule(dtype="int8")
SYMMETRIC = TensorRule(dtype="int8", symmetric=True)
WEIGHT = TensorRule(dtype="int8", symmetric=True, per_channel=True)
SEVEN = TensorRule(dtype="int8", bits=7, symmetric=True, per_channel=True)
FINITE = st.floats(0, 2.0**19, width=32, allow_subnormal=False)


def dequantize(q: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    return (q.astype(np.float64) - zero_point) * scale


@given(low=FINITE, high=FINITE, rule=st.sampled_from([UINT8, INT8, SYMMETRIC]))
def test_zero_is_exact_and_the_range_is_covered(low: float, high: float, rule: TensorRule) -> None:
    encoding = encode_range("x", Range(low=-low, high=high), rule)
    (scale,), (zero_point,) = encoding.scale, encoding.zero_point
    least, most = integer_limits(rule)
    assert least <= zero_point <= most
    assert np.float32(scale) == scale > 0
    # The zero point is rounded, so an end may fall short by half a step.
    slack = 0.5 * scale * (1 + 1e-4)
    assert encoding.low <= -low + slack
    assert encoding.high >= high - slack
    assert encoding.low <= 0 <= encoding.high


@given(low=FINITE, high=FINITE)
def test_values_inside_the_range_move_by_at_most_a_step(low: float, high: float) -> None:
    encoding = encode_range("x", Range(low=-low, high=high), UINT8)
    (scale,), (zero_point,) = encoding.scale, encoding.zero_point
    values = np.linspace(-low, high, 31)
    q = np.clip(np.rint(values / scale) + zero_point, 0, 255)
    assert np.abs(dequantize(q, scale, zero_point) - values).max() <= scale * (1 + 1e-4)


def test_symmetric_encodings_have_their_zero_in_the_middle() -> None:
    assert encode_range("x", Range(low=-1, high=3), SYMMETRIC).zero_point == (0,)
    unsigned = TensorRule(dtype="uint8", symmetric=True)
    assert encode_range("x", Range(low=-1, high=3), unsigned).zero_point == (128,)


@given(
    hnp.arrays(np.float32, (4, 6), elements=st.floats(-100, 100, width=32)),
    st.sampled_from([WEIGHT, SEVEN, SYMMETRIC]),
    st.sampled_from([0, 1]),
)
def test_weights_move_by_at_most_half_a_step(
    weight: np.ndarray, rule: TensorRule, axis: int
) -> None:
    scales = weight_scales(weight, axis, rule)
    q, encoding = quantize_weight("w", weight, axis, scales, rule)
    shape = [1, 1]
    shape[axis] = -1
    error = np.abs(q * scales.reshape(shape) - weight)
    assert (error <= scales.reshape(shape) * 0.5001).all()
    assert np.abs(q).max() <= integer_limits(rule)[1]
    assert len(encoding.scale) == (weight.shape[axis] if rule.per_channel else 1)


def test_products_of_seven_bit_weights_fit_sixteen_bits() -> None:
    # AVX2 adds two uint8 x int8 products in int16: that is what the profile x86-64 is for.
    assert 2 * 255 * integer_limits(SEVEN)[1] < 2**15 < 2 * 255 * integer_limits(WEIGHT)[1]


@given(
    hnp.arrays(np.float32, 5, elements=st.floats(-1e4, 1e4, width=32)),
    st.floats(1e-6, 1e2),
)
def test_a_bias_never_overflows_even_on_an_all_zero_channel(
    bias: np.ndarray, input_scale: float
) -> None:
    scales = weight_scales(np.zeros((5, 3), np.float32), 0, WEIGHT, bias_floor(bias, input_scale))
    q, encoding = quantize_bias("b", bias, input_scale, scales)
    assert np.abs(q.astype(np.int64)).max() <= 2**30 + 2**8
    back = q * np.array(encoding.scale)
    np.testing.assert_allclose(back, bias, rtol=1e-6, atol=float(np.max(encoding.scale)))


def test_biases_have_the_scale_of_the_sums() -> None:
    _, encoding = quantize_bias("b", np.ones(2, np.float32), 0.5, np.array([0.25, 2], np.float32))
    assert encoding.scale == (0.125, 1.0)
    assert encoding.dtype == "int32"


def test_a_tensor_of_zeros_still_has_a_scale() -> None:
    assert encode_range("x", Range(low=0, high=0), UINT8).scale[0] > 0


@pytest.mark.parametrize("rule", [UINT8, INT8])
def test_a_relu_range_starts_at_the_lowest_integer(rule: TensorRule) -> None:
    # Saturation then takes the Relu's place.
    encoding = encode_range("x", Range(low=0, high=6), rule)
    assert encoding.zero_point == (integer_limits(rule)[0],)
    assert encoding.low == 0
