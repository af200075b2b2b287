"""The factors against what they are for: the product stays, and 8 bits hold more of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.calibration.hessians import Hessian
from edgeopt.calibration.ranges import Range
from edgeopt.calibration.smoothing import (
    ENOUGH,
    LIMITS,
    has_outliers,
    pays,
    reach,
    smoothed,
    smoothed_hessian,
    smoothing_factors,
    whole_range,
)
from edgeopt.calibration.table import ChannelStats


def stats_of(x: np.ndarray) -> ChannelStats:
    return ChannelStats.of(x.mean(0, dtype=np.float64), x.min(0), x.max(0))


def rounded(values: np.ndarray, levels: int, axis: int | None) -> np.ndarray:
    """Symmetric rounding, one scale for all or for each column."""
    largest = np.abs(values).max(axis, keepdims=True)
    scale = np.maximum(largest, 1e-12) / levels
    return np.asarray(np.rint(values / scale) * scale)


@pytest.fixture
def x(rng: np.random.Generator) -> np.ndarray:
    """200 rows of 32 channels, two of which reach thirty times farther."""
    values = rng.standard_normal((200, 32)).astype(np.float32)
    values[:, [3, 17]] *= 30
    return values


def test_the_factors_follow_the_papers_formula(rng: np.random.Generator) -> None:
    largest = rng.uniform(1, 5, 16)
    weights = [rng.standard_normal((16, n)).astype(np.float32) for n in (8, 4)]
    rows = np.maximum(np.abs(weights[0]).max(1), np.abs(weights[1]).max(1))
    formula = largest**0.7 / rows**0.3
    factors = smoothing_factors(largest, weights, strength=0.7)
    ratio = factors / formula
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
    np.testing.assert_allclose(np.exp(np.log(factors).mean()), 1, rtol=1e-6)


def test_less_is_lost_to_eight_bits(x: np.ndarray, rng: np.random.Generator) -> None:
    weights = rng.standard_normal((32, 24)).astype(np.float32)
    factors = smoothing_factors(reach(stats_of(x)), [weights])

    def error(s: np.ndarray) -> float:
        product = rounded(x / s, 127, None) @ rounded(s[:, None] * weights, 127, 0)
        return float(np.square(product - x @ weights).mean())

    assert error(factors) < error(np.ones(32)) / 4


def test_channels_after_it_are_those_of_the_divided_tensor(x: np.ndarray) -> None:
    factors = smoothing_factors(reach(stats_of(x)), [np.ones((32, 1), np.float32)])
    found, expected = smoothed(stats_of(x), factors), stats_of((x / factors).astype(np.float32))
    np.testing.assert_allclose(found.means, expected.means, atol=1e-6)
    np.testing.assert_array_equal(found.low, expected.low)
    np.testing.assert_array_equal(found.high, expected.high)
    assert found.count == 1


def test_the_hessian_after_it_is_that_of_the_divided_tensor(x: np.ndarray) -> None:
    factors = smoothing_factors(reach(stats_of(x)), [np.ones((32, 1), np.float32)])
    found = smoothed_hessian(Hessian.of(x[None]), factors)
    expected = Hessian.of((x / factors).astype(np.float32)[None])
    np.testing.assert_allclose(found.raw, expected.raw, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.means, expected.means, atol=1e-6)
    assert found.count == expected.count


def test_outliers_are_channels_far_beyond_the_median(x: np.ndarray) -> None:
    assert has_outliers(stats_of(x))
    assert not has_outliers(stats_of(np.delete(x, [3, 17], axis=1)))
    assert not has_outliers(stats_of(np.zeros((3, 4), np.float32)))
    dead = np.delete(x, [3, 17], axis=1)
    dead[:, :20] = 0
    assert not has_outliers(stats_of(dead)), "channels that are always 0 make no others outliers"
    assert not has_outliers(ChannelStats.of(np.zeros(4))), "without extremes nothing is known"


def test_outliers_are_believed_once_enough_was_seen(x: np.ndarray) -> None:
    assert pays(stats_of(x), ENOUGH)
    assert not pays(stats_of(x), ENOUGH - 1)
    assert not pays(stats_of(np.delete(x, [3, 17], axis=1)), ENOUGH)


def test_a_channel_never_seen_or_never_used_is_left_alone() -> None:
    weights = np.ones((4, 2), np.float32)
    weights[1] = 0
    factors = smoothing_factors(np.array([0.0, 50.0, 8.0, 2.0]), [weights])
    assert factors[0] == factors[1] == 1
    assert factors[2] > 1 > factors[3]
    np.testing.assert_array_equal(smoothing_factors(np.zeros(4), [weights]), np.ones(4))


def test_the_range_holds_zero() -> None:
    channels = ChannelStats.of(
        np.ones(2), np.array([1, 2], np.float32), np.array([3, 4], np.float32)
    )
    assert whole_range(channels) == Range(low=0.0, high=4.0)


@given(
    st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)
def test_factors_are_positive_bounded_float32_numbers(values: list[float], seed: int) -> None:
    weights = np.random.default_rng(seed).standard_normal((len(values), 3)).astype(np.float32)
    factors = smoothing_factors(np.array(values), [weights])
    assert (factors >= np.float32(LIMITS[0])).all()
    assert (factors <= np.float32(LIMITS[1])).all()
    np.testing.assert_array_equal(factors, factors.astype(np.float32))
