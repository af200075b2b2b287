"""Which samples corrections see: evenly spread, and the same however the data is shared out."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgeopt.calibration.ranges import RangeMethod
from edgeopt.calibration.selection import ENOUGH, TURNS_FROM, chosen, sampling_for
from edgeopt.calibration.table import Sampling
from edgeopt.core.effort import Effort


@given(st.integers(1, 5000), st.integers(1, 9))
def test_shares_choose_together_what_the_whole_would(total: int, shares: int) -> None:
    ends = [total * i // shares for i in range(shares + 1)]
    parts = [chosen(a, b, total) for a, b in pairwise(ends)]
    assert [place for part in parts for place in part] == chosen(0, total, total)


@given(st.integers(1, 5000))
def test_enough_are_chosen_evenly_and_each_once(total: int) -> None:
    places = chosen(0, total, total)
    assert len(set(places)) == len(places) == min(ENOUGH, total)
    steps = [b - a for a, b in pairwise(places)]
    assert max(steps, default=1) - min(steps, default=1) <= 1
    assert places[0] <= max(steps, default=total)
    assert total - places[-1] <= max(steps, default=total)


def test_only_many_samples_take_turns() -> None:
    sampling = partial(sampling_for, RangeMethod.L24)
    for effort, count in TURNS_FROM.items():
        assert sampling(effort, count) is Sampling.GROUPS
        assert sampling(effort, count - 1) is Sampling.PART


def test_extremes_need_every_element() -> None:
    for effort in Effort:
        assert sampling_for(RangeMethod.MIN_MAX, effort, 10**6) is Sampling.EXACT
