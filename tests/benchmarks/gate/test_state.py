"""Machines that are held back, made up."""

from __future__ import annotations

from typing import Any

import pytest

from edgeopt.benchmarks.conditions import Conditions, Reading
from edgeopt.benchmarks.gate.state import held_back, voided
from edgeopt.benchmarks.gate.verdict import Check, Verdict

NOTHING: Reading[Any] = Reading(absent="made up")


def state(**readings: Any) -> Conditions:
    known = {name: Reading(value=value) for name, value in readings.items()}
    return Conditions("", *[NOTHING] * 5, **known)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (state(), state(), None),
        (state(throttled=("throttled since boot",)), state(throttled=()), None),
        (state(), state(throttled=("under-voltage", "throttled")), "throttled, under-voltage"),
        (state(throttle_count=3), state(throttle_count=3), None),
        (state(throttle_count=3), state(throttle_count=4), "grew too hot"),
        (state(throttle_count=4), state(throttle_count=3), None),
        (state(throttle_count=3), state(), None),
        (state(), state(throttle_count=3), None),
        (state(throttled=("throttled",)), state(), "held the processor back: throttled"),
        (state(battery=True), state(battery=False), "on its battery"),
        (state(battery=False), state(battery=True), "on its battery"),
        (state(battery=False), state(battery=False), None),
    ],
)
def test_what_holds_a_machine_back(before: Conditions, after: Conditions, told: str | None) -> None:
    found = held_back(before, after)
    assert bool(found) == (told is not None)
    assert told is None or told in found[0]


def test_only_what_was_timed_is_void_then() -> None:
    checks = [
        Check("latency", Verdict.REGRESSION, "3%", "ms"),
        Check("size", Verdict.REGRESSION, "+0%", "bytes"),
        Check("accuracy", Verdict.PASS, "1pp", "share"),
    ]
    assert voided(checks, ()) == tuple(checks)
    found = voided(checks, ("it grew too hot",))
    verdicts = [check.verdict for check in found]
    assert verdicts == [Verdict.UNFIT, Verdict.REGRESSION, Verdict.PASS]
    assert found[0].why == "it grew too hot"
