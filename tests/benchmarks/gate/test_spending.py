"""The error that all looks together spend."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.gate.spending import FIRST, levels, looks


@given(st.integers(2, 500))
def test_looks_grow_and_end_at_the_cap(cap: int) -> None:
    at = looks(cap)
    assert list(at) == sorted(set(at))
    assert at[0] == min(FIRST, cap)
    assert at[-1] == cap


def test_the_usual_looks() -> None:
    assert looks(20) == (5, 7, 10, 14, 20)
    assert looks(2) == (2,)


@pytest.mark.parametrize(
    ("cap", "at"), [(5, (5,)), (6, (5, 6)), (8, (5, 8)), (11, (5, 7, 11)), (12, (5, 7, 10, 12))]
)
def test_none_is_just_before_the_last(cap: int, at: tuple[int, ...]) -> None:
    assert looks(cap) == at


def test_each_wrong_verdict_may_come_one_time_in_forty() -> None:
    assert math.fsum(levels(looks(20))) == pytest.approx(0.025)


@given(st.integers(2, 500), st.floats(0.001, 0.2))
def test_what_the_looks_spend_is_the_whole_error(cap: int, error: float) -> None:
    spent = levels(looks(cap), error)
    assert all(level > 0 for level in spent)
    assert math.fsum(spent) == pytest.approx(error)


def test_the_first_look_spends_what_lan_and_demets_say() -> None:
    # a ln(1 + (e - 1) t) at t = 1/4
    assert levels((5, 20), 0.05)[0] == pytest.approx(0.05 * math.log(1 + (math.e - 1) / 4))
