"""Shares of counts, beside figures that others publish."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.device.statistics import MIN_COUNT
from edgeopt.benchmarks.gate.counts import at_most, drop, lower_bound, tail, upper_bound
from edgeopt.benchmarks.gate.verdict import Verdict


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.data())
def test_the_binomial_sum_is_the_sum_of_its_terms(
    calls: int, share: float, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, calls))
    terms = (math.comb(calls, k) * share**k * (1 - share) ** (calls - k) for k in range(count + 1))
    assert at_most(count, calls, share) == pytest.approx(min(1.0, math.fsum(terms)))


def test_a_probability_is_never_above_one() -> None:
    # Logarithms of factorials are rounded: the terms alone add up to 1 and a little.
    assert all(at_most(calls, calls, 0.3) <= 1 for calls in range(1, 400))


def test_limits_of_clopper_and_pearson() -> None:
    # With no failure the limit is 1 - 0.05 ** (1 / n): the "rule of three".
    assert upper_bound(0, 150) == pytest.approx(1 - 0.05 ** (1 / 150))
    assert lower_bound(150, 150) == pytest.approx(0.05 ** (1 / 150))
    # Clopper and Pearson 1934: 2.5 % and 97.5 % limits of 3 in 10.
    assert upper_bound(3, 10, 0.975) == pytest.approx(0.6525, abs=1e-4)
    assert lower_bound(3, 10, 0.975) == pytest.approx(0.0667, abs=1e-4)


@pytest.mark.parametrize("quantile", MIN_COUNT)
def test_mlperfs_least_counts(quantile: float) -> None:
    share = 1 - quantile
    # Of so few calls none may be late. MLPerf's counts are a little above what is needed for it.
    assert tail(MIN_COUNT[quantile], 0, share) is Verdict.PASS
    assert tail(MIN_COUNT[quantile] // 2, 0, share) is Verdict.INCONCLUSIVE


def test_a_tail_is_judged_by_how_many_calls_are_late() -> None:
    assert tail(10_000, 60, 0.01) is Verdict.PASS
    assert tail(10_000, 100, 0.01) is Verdict.INCONCLUSIVE
    assert tail(10_000, 160, 0.01) is Verdict.REGRESSION


def test_the_interval_of_a_drop_holds_the_true_one() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(2000):
        lost, gained, _ = rng.multinomial(400, [0.03, 0.01, 0.96])
        _, low, high = drop(int(lost), int(gained), 400)
        held += low <= 0.02 <= high
    assert held / 2000 > 0.93


def test_an_interval_by_hand() -> None:
    # Agresti and Min: half an answer is added to each of the four cells.
    centre, spread = (12.5 - 4.5) / 402, math.sqrt(17 - 8**2 / 402) / 402
    expected = 8 / 400, centre - 1.959964 * spread, centre + 1.959964 * spread
    assert drop(12, 4, 400) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("count", "calls", "share", "sure"), [(3, 3, 1.0, 1.0), (2, 3, 1.0, 0.0)])
def test_the_binomials_ends(count: int, calls: int, share: float, sure: float) -> None:
    assert at_most(count, calls, share) == sure


def test_a_share_of_all_has_no_upper_limit() -> None:
    assert upper_bound(10, 10) == 1.0
    assert lower_bound(0, 10) == 0.0
    assert upper_bound(9, 10) == pytest.approx(1 - (1 - 0.95 ** (1 / 10)), abs=1e-9)


@pytest.mark.parametrize(
    ("late", "verdict"),
    [(66, Verdict.PASS), (77, Verdict.PASS), (78, Verdict.INCONCLUSIVE),
     (124, Verdict.INCONCLUSIVE), (125, Verdict.REGRESSION)],
)  # fmt: skip
def test_where_a_tails_verdict_turns(late: int, verdict: Verdict) -> None:
    assert tail(10_000, late, 0.01) is verdict


def test_predictions_that_are_the_same_tell_more_than_their_shares() -> None:
    # 1,000 of 2,000 right on both sides: independent shares would be known to 3pp.
    _, low, high = drop(0, 0, 2000)
    assert high - low < 0.004
