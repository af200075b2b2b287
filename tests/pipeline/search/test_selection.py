"""As few layers as the budget needs; every set that is tried is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.result import Ratio
from edgeopt.pipeline.search.budget import Quality
from edgeopt.pipeline.search.record import Layer, Point
from edgeopt.pipeline.search.selection import fewest, ordered


def layer(name: str, gain: float, point: float | None = None) -> Layer:
    ratio = None if point is None else Ratio(point, point, point, 0.95, 5)
    return Layer(name, gain, ratio)


def test_what_brings_most_for_its_latency_comes_first() -> None:
    layers = [layer("a", 0.5, 1.10), layer("b", 0.2, 1.01), layer("c", 0.1), layer("d", -0.1)]
    assert ordered(layers) == ("b", "a", "c")


def test_a_cost_below_what_timing_can_tell_is_no_bargain() -> None:
    layers = [layer("a", 0.20, 0.90), layer("b", 0.21, 1.001)]
    assert ordered(layers) == ("b", "a")


@given(st.integers(1, 30), st.data())
def test_the_shortest_beginning_is_found_in_few_trials(count: int, data: st.DataObject) -> None:
    order = [f"n{i}" for i in range(count)]
    needed = data.draw(st.integers(1, count))
    tried: list[tuple[str, ...]] = []

    def attempt(kept: tuple[str, ...]) -> tuple[Point, bool]:
        tried.append(kept)
        return Point(kept, Quality(0.0)), set(order[:needed]) <= set(kept)

    found = fewest(order, attempt, in_time=lambda: True)
    assert found is not None
    assert found.kept == tuple(order[:needed])
    # Doubling, halving, and each kept layer once.
    assert len(tried) <= 2 * count.bit_length() + 2 + needed


def test_what_is_not_needed_is_made_integer_again() -> None:
    def attempt(kept: tuple[str, ...]) -> tuple[Point, bool]:
        return Point(kept, Quality(0.0)), "d" in kept

    found = fewest("abcd", attempt, in_time=lambda: True)
    assert found is not None
    assert found.kept == ("d",)


def test_without_time_the_first_that_meets_it_is_taken() -> None:
    def attempt(kept: tuple[str, ...]) -> tuple[Point, bool]:
        return Point(kept, Quality(0.0)), len(kept) >= 3

    found = fewest("abcdef", attempt, in_time=lambda: False)
    assert found is not None
    assert len(found.kept) == 4


@pytest.mark.parametrize("order", ["", "abc"])
def test_a_budget_that_nothing_meets(order: str) -> None:
    assert fewest(order, lambda kept: (Point(kept, Quality(0.0)), False), in_time=bool) is None
