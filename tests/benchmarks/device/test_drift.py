"""A device that slows down while it is timed, and one that only varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.device.drift import drift, kendall


def answers(medians: list[float], processes: int = 5) -> list[dict[str, Any]]:
    """Blocks of three calls, one of them a hiccup, among another artifact's that don't count."""
    parts = np.array_split(np.asarray(medians), processes)
    other = {"artifact": 1, "ns": [1, 1, 1]}
    blocks = [[{"artifact": 0, "ns": [int(m), int(m), 10**9]} for m in part] for part in parts]
    return [{"blocks": [block for mine in part for block in (mine, other)]} for part in blocks]


def test_a_device_that_throttles() -> None:
    slowing = [1e6] * 50 + [1e6 + 5e3 * n for n in range(100)] + [1.5e6] * 50
    found = drift(answers(slowing), 0)
    assert found["ratio"] == pytest.approx(1.5, rel=0.01)
    assert found["trend"] > 0.6


def test_noise_has_no_trend() -> None:
    noise = np.random.default_rng(0).lognormal(np.log(1e6), 0.2, 200)
    assert abs(drift(answers(list(noise)), 0)["trend"]) < 0.15


def test_a_warmer_start_is_a_falling_trend() -> None:
    assert drift(answers(list(np.linspace(2e6, 1e6, 60))), 0)["trend"] == -1


def test_many_blocks_are_thinned_out() -> None:
    found = drift(answers(list(np.linspace(1e6, 2e6, 5000))), 0)
    assert found["trend"] == 1


@given(st.lists(st.floats(1, 1e9), min_size=2, max_size=30))
def test_kendall_turns_with_the_order(values: list[float]) -> None:
    assert kendall(values) == pytest.approx(-kendall(values[::-1]))
    assert -1 <= kendall(values) <= 1


def test_one_block_drifts_nowhere() -> None:
    assert drift(answers([1e6], processes=1), 0) == {"ratio": 1.0, "trend": 0.0}
