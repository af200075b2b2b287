"""As few layers as the budget needs; every mix that is tried is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.result import Ratio
from edgeopt.pipeline.search.budget import Quality
from edgeopt.pipeline.search.record import Arithmetic, Candidate, Mix, Point
from edgeopt.pipeline.search.selection import Try, fewest, ordered

WIDE = Arithmetic.WIDE


def ratio(point: float) -> Ratio:
    return Ratio(point, point, point, 0.95, 5)


def candidate(
    layer: str, gain: float, point: float | None = None, how: Arithmetic = Arithmetic.FLOAT
) -> Candidate:
    return Candidate(layer, how, gain, None if point is None else ratio(point))


def names(candidates: Sequence[Candidate]) -> str:
    return "".join(
        c.layer if c.arithmetic is Arithmetic.FLOAT else c.layer + "'" for c in candidates
    )


def several(layers: str) -> list[Candidate]:
    return [candidate(name, 1.0) for name in layers]


def trying(meets: Callable[[Mix], bool], tried: list[Mix] | None = None) -> Try:
    def attempt(mix: Mix) -> tuple[Point, bool]:
        if tried is not None:
            tried.append(mix)
        return Point(mix, Quality(0.0)), meets(mix)

    return attempt


def test_what_brings_most_for_its_latency_comes_first() -> None:
    found = [candidate("a", 0.5, 1.10), candidate("b", 0.2, 1.01), candidate("c", 0.1, 1.2)]
    assert names(ordered(found, 9)) == "bac"


def test_a_latency_below_what_timing_can_tell_is_no_bargain() -> None:
    assert names(ordered([candidate("a", 0.20, 0.90), candidate("b", 0.21, 1.001)], 9)) == "ba"


def test_what_was_not_measured_is_taken_to_cost_the_most_that_was() -> None:
    found = [candidate("a", 0.1, 1.01), candidate("b", 0.3), candidate("c", 0.4, 1.10)]
    assert names(ordered(found, 9)) == "acb"


def test_what_brings_nothing_by_itself_comes_last() -> None:
    found = [candidate("a", -0.2), candidate("b", 0.0), candidate("c", 0.1)]
    assert names(ordered(found, 9)) == "cba"


def test_16_bits_count_only_where_they_were_measured_to_pay() -> None:
    found = [
        candidate("a", 0.5, 1.2, WIDE),
        candidate("b", 0.4, 1.7, WIDE),
        candidate("c", 0.3, None, WIDE),
        candidate("d", 0.0, 1.1, WIDE),
        candidate("e", 0.1, 1.1),
    ]
    assert names(ordered(found, 9)) == "a'eb'"
    assert names(ordered(found, 9, float_ratio=ratio(1.5))) == "a'e"


def test_one_layer_stays_integer() -> None:
    found = [candidate("a", 0.3), candidate("a", 0.2, 1.1, WIDE), candidate("b", 0.1)]
    assert {c.layer for c in ordered(found, 2)} == {"a"}
    assert ordered(found[:1], 1) == ()


def test_of_two_for_one_layer_the_later_holds() -> None:
    both = [candidate("a", 1.0, 1.1, WIDE), candidate("b", 1.0), candidate("a", 0.5)]
    assert Mix.of(both[:2]) == Mix(("b",), ("a",))
    assert Mix.of(both) == Mix(("a", "b"))


@given(st.integers(1, 30), st.data())
def test_the_shortest_beginning_is_found_in_few_trials(count: int, data: st.DataObject) -> None:
    order = [candidate(f"n{i}", 1.0) for i in range(count)]
    needed = data.draw(st.integers(1, count))
    tried: list[Mix] = []
    enough = {c.layer for c in order[:needed]}
    attempt = trying(lambda mix: enough <= set(mix.keep_float), tried)
    found = fewest(order, attempt, in_time=lambda: True)
    assert found is not None
    assert set(found.mix.keep_float) == enough
    # Doubling, halving, each kept layer once, and what it came to.
    assert len(tried) <= 2 * count.bit_length() + 3 + needed


def test_what_is_not_needed_is_made_integer_again() -> None:
    attempt = trying(lambda mix: "d" in mix.keep_float)
    found = fewest(several("abcd"), attempt, in_time=lambda: True)
    assert found is not None
    assert found.mix.keep_float == ("d",)


def test_without_time_the_first_that_meets_it_is_taken() -> None:
    attempt = trying(lambda mix: mix.count >= 3)
    found = fewest(several("abcdef"), attempt, in_time=lambda: False)
    assert found is not None
    assert found.mix.count == 4


@pytest.mark.parametrize("order", ["", "abc"])
def test_a_budget_that_nothing_meets(order: str) -> None:
    assert fewest(several(order), trying(lambda _: False), in_time=bool) is None
