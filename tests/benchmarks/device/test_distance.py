"""Distances of outputs that aren't all numbers."""

from __future__ import annotations

import numpy as np
import pytest

from edgeopt.benchmarks.device.distance import ONLY_NOISE, Distance

MASKED = np.array([[1.0, -np.inf, 3.0, np.nan]], np.float32)


def test_what_is_not_finite_in_both_counts_for_nothing() -> None:
    distance = Distance("y")
    distance.add(MASKED, MASKED + np.float32(0.1))
    found = distance.as_json()
    assert found["sqnr_db"] == pytest.approx(10 * np.log10(10 / 0.02), abs=0.01)
    assert found["max_abs_error"] == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize(
    ("place", "value"), [(0, np.nan), (0, np.inf), (1, 5.0), (1, np.inf), (1, np.nan), (3, 5.0)]
)
def test_what_is_not_finite_in_one_is_nothing_but_noise(place: int, value: float) -> None:
    other = MASKED.copy()
    other[0, place] = value
    distance = Distance("y")
    distance.add(MASKED, other)
    found = distance.as_json()
    assert found["sqnr_db"] == ONLY_NOISE
    assert found["max_abs_error"] > 1e300
