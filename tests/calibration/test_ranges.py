"""Each way of choosing a range, on distributions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.ranges import Range, RangeMethod, choose_range

SEARCHED = (RangeMethod.ENTROPY, RangeMethod.L2, RangeMethod.L24)
values = hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-6e4, 6e4))


def mean_error(x: np.ndarray, chosen: Range, power: float) -> float:
    scale = (chosen.high - chosen.low) / 255
    zero = np.rint(-chosen.low / scale)
    q = (np.clip(np.rint(x / scale) + zero, 0, 255) - zero) * scale
    return float((np.abs(x - q) ** power).mean())


@given(values, st.sampled_from(list(RangeMethod)), st.booleans())
def test_every_range_holds_zero_and_lies_within_the_extremes(
    x: np.ndarray, method: RangeMethod, symmetric: bool
) -> None:
    chosen = choose_range(Histogram.of_values(x), method, symmetric=symmetric)
    halves = x.astype(np.float16).astype(np.float64)
    largest = np.abs(halves).max()
    assert chosen.low <= 0 <= chosen.high
    assert -largest <= chosen.low
    assert chosen.high <= largest
    if symmetric:
        assert chosen.low == -chosen.high


@given(values)
def test_min_max_is_the_extremes(x: np.ndarray) -> None:
    halves = x.astype(np.float16).astype(np.float64)
    chosen = choose_range(Histogram.of_values(x), RangeMethod.MIN_MAX)
    assert (chosen.low, chosen.high) == (min(0, halves.min()), max(0, halves.max()))


@pytest.mark.parametrize(("method", "power"), [(RangeMethod.L2, 2.0), (RangeMethod.L24, 2.4)])
def test_a_heavy_tail_is_clipped_where_that_loses_least(
    method: RangeMethod, power: float, rng: np.random.Generator
) -> None:
    x = rng.standard_t(3, 100_000)
    histogram = Histogram.of_values(x)
    chosen, widest = (choose_range(histogram, m) for m in (method, RangeMethod.MIN_MAX))
    assert chosen.high - chosen.low < 0.95 * (widest.high - widest.low)
    assert mean_error(x, chosen, power) < mean_error(x, widest, power)


def test_entropy_differs_from_min_max_on_a_heavy_tail(rng: np.random.Generator) -> None:
    histogram = Histogram.of_values(rng.standard_t(3, 100_000))
    entropy, widest = (
        choose_range(histogram, m) for m in (RangeMethod.ENTROPY, RangeMethod.MIN_MAX)
    )
    assert entropy.high < 0.7 * widest.high


@pytest.mark.parametrize("method", SEARCHED)
def test_a_clamped_tensor_keeps_its_clamp(method: RangeMethod, rng: np.random.Generator) -> None:
    # ReLU6: a spike at 0 that hides the rest from the entropy, and one at 6 that must not be cut.
    x = np.clip(rng.standard_normal(100_000) * 4, 0, 6)
    assert choose_range(Histogram.of_values(x), method).high == pytest.approx(6)


def test_a_percentile_leaves_out_that_share(rng: np.random.Generator) -> None:
    x = rng.standard_normal(200_000)
    chosen = choose_range(Histogram.of_values(x), RangeMethod.PERCENTILE, percentile=99)
    assert (x > chosen.high).mean() == pytest.approx(0.01, abs=0.002)
    assert (x < chosen.low).mean() == pytest.approx(0.01, abs=0.002)


def test_zeros_alone_have_an_empty_range() -> None:
    for method in RangeMethod:
        chosen = choose_range(Histogram.of_values(np.zeros(5)), method)
        assert (chosen.low, chosen.high) == (0, 0)
