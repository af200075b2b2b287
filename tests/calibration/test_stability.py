"""Laws of the figures that tell drift, and what they say of distributions that are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.stability import LARGE, MODERATE, index, ks, outside, psi

EXAMPLE = Path(__file__).parents[2] / "examples" / "fashion_mnist"
VALUES = arrays.arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-1000, 1000, width=16, allow_nan=False)
)
COUNTS = arrays.arrays(np.int64, 6, elements=st.integers(0, 1000))


def histogram(values: np.ndarray) -> Histogram:
    return Histogram.of_values(values)


@given(VALUES)
def test_the_same_distribution_is_at_no_distance(values: np.ndarray) -> None:
    one, twice = histogram(values), histogram(np.concatenate([values, values]))
    assert psi(one, twice) == pytest.approx(0, abs=1e-12)
    assert ks(one, twice) == pytest.approx(0, abs=1e-12)
    assert outside(one, twice) == 0


@given(VALUES, VALUES)
def test_a_distance_is_not_negative(one: np.ndarray, other: np.ndarray) -> None:
    a, b = histogram(one), histogram(other)
    assert psi(a, b) >= 0
    assert 0 <= ks(a, b) <= 1
    assert ks(a, b) == ks(b, a)
    assert 0 <= outside(a, b) <= 1


@given(VALUES, VALUES, VALUES)
def test_ks_keeps_the_triangle(one: np.ndarray, two: np.ndarray, three: np.ndarray) -> None:
    a, b, c = (histogram(each) for each in (one, two, three))
    assert ks(a, c) <= ks(a, b) + ks(b, c) + 1e-12


@given(COUNTS, COUNTS)
def test_the_index_of_counts_is_symmetric(one: np.ndarray, other: np.ndarray) -> None:
    assert index(one, other) == pytest.approx(index(other, one))
    assert index(one, 3 * one) == pytest.approx(0, abs=1e-12)


@given(VALUES, VALUES)
def test_ks_is_the_largest_gap_of_the_samples_own(one: np.ndarray, other: np.ndarray) -> None:
    points = np.union1d(one, other)
    gaps = [abs((one <= p).mean() - (other <= p).mean()) for p in points]
    assert ks(histogram(one), histogram(other)) == pytest.approx(max(gaps), abs=1e-6)


@pytest.mark.parametrize(
    ("shift", "spread", "least", "most"),
    [(0, 1, 0, 0.01), (0.2, 1, 0.02, MODERATE), (0.4, 1, MODERATE, LARGE), (1, 1, LARGE, 9),
     (0, 2, LARGE, 9)],
)  # fmt: skip
def test_what_the_customary_thresholds_mean_for_a_normal_distribution(
    rng: np.random.Generator, shift: float, spread: float, least: float, most: float
) -> None:
    # Jeffreys's divergence of two normals that differ in their means alone is the shift squared.
    reference = histogram(rng.standard_normal(50_000))
    found = histogram(rng.standard_normal(50_000) * spread + shift)
    assert least <= psi(reference, found) < most
    if spread == 1:
        assert psi(reference, found) == pytest.approx(shift**2, abs=0.1 * shift + 0.005)


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST: for calibration, and for a test."""
    with np.load(EXAMPLE / "calibration.npz") as one, np.load(EXAMPLE / "test.npz") as other:
        return one["image"].astype(np.float32), other["image"].astype(np.float32)


def test_pictures_of_the_same_kind_have_not_drifted(
    pictures: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    reference, test = histogram(pictures[0]), pictures[1]
    draws = (histogram(test[rng.choice(len(test), 50, replace=False)]) for _ in range(200))
    assert max(psi(reference, draw) for draw in draws) < MODERATE


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        (lambda x: np.round(np.minimum(x * 1.1, 255)), 0.02, MODERATE),
        (lambda x: np.round(np.minimum(x * 1.3, 255)), MODERATE, LARGE),
        (lambda x: np.round(np.minimum(x * 1.5, 255)), LARGE, 1),
        (lambda x: np.round(x * 0.7), LARGE, 2),
        (lambda x: 255 - x, 2, 9),
        (lambda x: x / 255, 2, 9),
        (lambda x: np.rot90(x, axes=(2, 3)), 0, 0.02),
    ],
)
def test_pictures_that_were_changed(
    pictures: tuple[np.ndarray, np.ndarray],
    change: Callable[[np.ndarray], np.ndarray],
    least: float,
    most: float,
) -> None:
    assert least <= psi(histogram(pictures[0]), histogram(change(pictures[1][:500]))) < most


def test_values_that_are_half_of_all_have_a_bin_to_themselves(rng: np.random.Generator) -> None:
    black = np.zeros(5000)
    bright = rng.uniform(100, 255, 5000)
    reference = histogram(np.concatenate([black, bright]))
    darker = histogram(np.concatenate([black, black, bright]))
    assert psi(reference, darker) > 0.05
    assert psi(reference, histogram(np.concatenate([black, bright[::-1]]))) == 0


def test_what_is_outside_is_counted(rng: np.random.Generator) -> None:
    reference = histogram(np.array([0.0, 1.0]))
    assert outside(reference, histogram(np.array([-1, 0, 0.5, 1, 2]))) == pytest.approx(0.4)


def test_nothing_is_at_no_distance_from_anything() -> None:
    nothing, something = histogram(np.zeros(0)), histogram(np.ones(3))
    assert psi(nothing, something) == psi(something, nothing) == 0
    assert ks(nothing, something) == outside(nothing, something) == 0
