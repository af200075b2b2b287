"""From values to places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeopt.reports.axes import Axis

VALUES = st.floats(-1e6, 1e6)


@given(VALUES, VALUES, st.floats(-2e6, 2e6), st.floats(-2e6, 2e6))
def test_places_are_in_order_and_within(low: float, high: float, one: float, two: float) -> None:
    axis = Axis(min(low, high), max(low, high), 10, 200)
    first, second = axis.at(min(one, two)), axis.at(max(one, two))
    assert 10 <= first <= second <= 200


@given(VALUES, st.floats(1e-3, 1e6))
def test_ticks_lie_on_the_axis_and_are_few(low: float, span: float) -> None:
    axis = Axis(low, low + span, 0, 1)
    ticks = axis.ticks()
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= tick <= low + span + slack for tick in ticks)
    assert len(ticks) <= 6


def test_an_axis_of_one_value() -> None:
    assert Axis(3, 3, 0, 9).ticks() == (3,)
    assert Axis(3, 3, 0, 9).at(3) == 0
