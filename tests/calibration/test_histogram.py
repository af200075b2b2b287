import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeopt.calibration.histogram import Histogram

values = hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32))


@given(values, values, values)
def test_merging_is_exact_associative_and_commutative(
    a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> None:
    one, two, three = map(Histogram.of_values, (a, b, c))
    whole = Histogram.of_values(np.concatenate([a, b, c]))
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three)) == whole
    assert whole.total == a.size + b.size + c.size


@given(values)
def test_order_does_not_matter(a: np.ndarray) -> None:
    assert Histogram.of_values(a) == Histogram.of_values(a[::-1])


@given(values)
def test_values_come_back_rounded_to_half_precision(a: np.ndarray) -> None:
    with np.errstate(over="ignore"):
        halves = a.astype(np.float16).astype(np.float64)
    finite = np.sort(halves[np.isfinite(halves)] + 0.0)
    found, counts = Histogram.of_values(a).sorted
    np.testing.assert_array_equal(np.repeat(found, counts), finite)


def test_what_half_precision_cannot_hold_is_counted_apart() -> None:
    histogram = Histogram.of_values(np.array([1.0, np.nan, np.inf, -np.inf, 1e30, -7e4]))
    assert histogram.beyond == 5
    assert histogram.total == 6


def test_a_coarse_view_keeps_mass_and_mean() -> None:
    x = np.random.default_rng(0).standard_normal(200_000)
    histogram = Histogram.of_values(x)
    points, weights = histogram.coarse(512)
    assert len(points) <= 512
    assert weights.sum() == histogram.total
    np.testing.assert_allclose((points * weights).sum() / weights.sum(), x.mean(), atol=1e-5)
