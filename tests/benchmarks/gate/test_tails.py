"""The verdict on a tail, on calls whose times are given."""

from __future__ import annotations

import pytest

from edgeopt.benchmarks.gate.budgets import Tail
from edgeopt.benchmarks.gate.tails import tail_check
from edgeopt.benchmarks.gate.verdict import Verdict

P90 = Tail("p90:10%", 0.9, 0.1)
MS = 10**6


def calls(late: int, of: int, late_ns: int = 2 * MS) -> list[int]:
    return [late_ns] * late + [MS] * (of - late)


def test_few_late_calls_pass_and_say_nothing() -> None:
    found = tail_check(P90, calls(0, 1000), calls(60, 1000))
    assert (found.name, found.verdict, found.budget, found.unit) == (
        "p90", Verdict.PASS, "p90:10%", "ms",
    )  # fmt: skip
    assert (found.baseline, found.candidate, found.why) == (1.0, 1.0, "")


def test_many_are_counted_with_the_time_that_they_took_longer_than() -> None:
    found = tail_check(P90, calls(0, 1000), calls(200, 1000))
    assert found.verdict is Verdict.REGRESSION
    assert found.candidate == 2.0
    assert found.why == "200 of 1,000 calls took longer than 1.100 ms"


def test_in_between_nothing_is_said() -> None:
    assert tail_check(P90, calls(0, 1000), calls(100, 1000)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("late_ns", "late"), [(1_100_000, 0), (1_100_001, 200)])
def test_a_call_that_takes_just_what_is_allowed_is_not_late(late_ns: int, late: int) -> None:
    found = tail_check(P90, calls(0, 1000), calls(200, 1000, late_ns))
    assert found.verdict is (Verdict.REGRESSION if late else Verdict.PASS)


@pytest.mark.parametrize(("before", "after"), [(63, 64), (64, 63), (63, 1000)])
def test_too_few_calls_of_either_decide_nothing(before: int, after: int) -> None:
    found = tail_check(P90, calls(0, before), calls(0, after))
    assert (found.name, found.verdict) == ("p90", Verdict.INCONCLUSIVE)
    assert (found.budget, found.unit, found.baseline) == ("p90:10%", "ms", None)
    assert found.why == "63 calls are too few: 64 are needed"


def test_as_many_as_are_needed_do() -> None:
    assert tail_check(P90, calls(0, 64), calls(0, 64)).verdict is Verdict.PASS
