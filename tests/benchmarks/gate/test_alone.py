"""Verdicts on size, memory and load time, from figures that are given."""

from __future__ import annotations

from typing import Any

import pytest

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.gate.alone import ROUNDS, Both, both_alone, cost_checks
from edgeopt.benchmarks.gate.budgets import Budgets, Limit
from edgeopt.benchmarks.gate.verdict import Check, Verdict
from edgeopt.benchmarks.messages import MemoryAnswer, RuntimeRecord, SoloAnswer, WarmupAnswer

UNREAD: Reading[Any] = Reading(absent="no peak here")
STATE = Conditions("", *[UNREAD] * 5)
MACHINE = Machine("Linux", "1", "x86_64", "3.11", UNREAD, UNREAD, UNREAD, 1, 1, 1)  # type: ignore[arg-type]
EXACTLY = Limit("+10%", 0.1, relative=True)


def answer(peak: int | None = None, load_ms: float = 1.0) -> SoloAnswer:
    memory = MemoryAnswer(Reading(value=peak) if peak is not None else UNREAD, UNREAD)
    warm = WarmupAnswer(1, 1, True, 1.0)
    runtime = RuntimeRecord("onnxruntime", "1", ())
    load = round(load_ms * 1e6)
    return SoloAnswer(runtime, MACHINE, STATE, load, 1, warm, memory, memory, STATE)


def peaks(baseline: list[int | None], candidate: list[int | None]) -> Both:
    return [answer(peak) for peak in baseline], [answer(peak) for peak in candidate]


def loads(baseline: list[float], candidate: list[float]) -> Both:
    return tuple([answer(load_ms=ms) for ms in side] for side in (baseline, candidate))  # type: ignore[return-value]


def only(found: Both | None, budgets: Budgets, sizes: tuple[int, int] = (100, 100)) -> Check:
    (check,) = cost_checks(found, sizes, budgets)
    return check


@pytest.mark.parametrize(
    ("candidate", "verdict", "why"),
    [
        (110, Verdict.PASS, ""),
        (111, Verdict.REGRESSION, "it is larger than is allowed"),
        (1, Verdict.PASS, ""),
    ],
)
def test_a_size(candidate: int, verdict: Verdict, why: str) -> None:
    # 100 * (1 + 0.1) is a little more than 110.
    found = only(None, Budgets(0.03, size=EXACTLY), (100, candidate))
    assert found == Check("size", verdict, "+10%", "bytes", 100, candidate, why=why)


@pytest.mark.parametrize(("candidate", "verdict"), [(5, Verdict.PASS), (6, Verdict.REGRESSION)])
def test_a_size_may_be_what_is_allowed_to_the_byte(candidate: int, verdict: Verdict) -> None:
    found = only(None, Budgets(0.03, size=Limit("5B", 5.0, relative=False)), (100, candidate))
    assert found.verdict is verdict


@pytest.mark.parametrize(("last", "verdict"), [(90, Verdict.PASS), (120, Verdict.REGRESSION)])
def test_memory_is_the_median_of_processes(last: int, verdict: Verdict) -> None:
    found = only(
        peaks([100, 900, 100], [last, 90, 115 if last > 100 else 900]),
        Budgets(0.03, memory=EXACTLY),
    )
    assert (found.name, found.verdict, found.unit) == ("memory", verdict, "bytes")
    assert (found.baseline, found.candidate) == (100, 90 if last == 90 else 115)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (peaks([None], [100]), "no peak here"),
        (peaks([100], [None]), "it could not be read"),
    ],
)
def test_memory_that_cannot_be_read_decides_nothing(found: Both, why: str) -> None:
    check = only(found, Budgets(0.03, memory=EXACTLY))
    assert check == Check("memory", Verdict.INCONCLUSIVE, "+10%", "bytes", why=why)


@pytest.mark.parametrize(
    ("candidate", "limit", "verdict"),
    [
        ([10.0, 10.1, 9.9], EXACTLY, Verdict.PASS),
        ([12.0, 12.1, 11.9], EXACTLY, Verdict.REGRESSION),
        ([8.0, 11.0, 14.0], EXACTLY, Verdict.INCONCLUSIVE),
        ([10.0, 10.1, 9.9], Limit("11ms", 11.0, relative=False), Verdict.PASS),
        ([12.0, 12.1, 11.9], Limit("11ms", 11.0, relative=False), Verdict.REGRESSION),
        ([8.0, 11.0, 14.0], Limit("11ms", 11.0, relative=False), Verdict.INCONCLUSIVE),
    ],
)
def test_a_load_time_is_judged_by_its_interval(
    candidate: list[float], limit: Limit, verdict: Verdict
) -> None:
    found = only(loads([10.0, 10.0, 10.0], candidate), Budgets(0.03, load=limit))
    assert (found.name, found.verdict, found.budget, found.unit) == (
        "load", verdict, limit.said, "ms",
    )  # fmt: skip
    assert (found.baseline, found.candidate) == (10.0, sorted(candidate)[1])
    assert {
        Verdict.PASS: "",
        Verdict.REGRESSION: "it takes longer to load than is allowed",
        Verdict.INCONCLUSIVE: "load times vary too much on this machine to tell",
    }[verdict] == found.why


def test_a_relative_load_time_is_that_of_each_round() -> None:
    # Twice as slow in the second round, both of them: no change.
    found = only(loads([10.0, 20.0, 10.0], [10.0, 20.0, 10.0]), Budgets(0.03, load=EXACTLY))
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("same", [EXACTLY, Limit("11ms", 11.0, relative=False)])
def test_a_load_time_at_the_limit_passes(same: Limit) -> None:
    most = same.most(10.0)
    below = only(loads([10.0] * 3, [most - 0.001] * 3), Budgets(0.03, load=same))
    above = only(loads([10.0] * 3, [most + 0.001] * 3), Budgets(0.03, load=same))
    assert (below.verdict, above.verdict) == (Verdict.PASS, Verdict.REGRESSION)


def test_a_load_time_that_is_just_the_limit_passes() -> None:
    # ln 1 is exact, and so both ends of the interval are.
    found = only(loads([10.0] * 3, [1.0] * 3), Budgets(0, load=Limit("1ms", 1.0, relative=False)))
    assert found.verdict is Verdict.PASS
    found = only(loads([1.0] * 3, [1.0] * 3), Budgets(0, load=Limit("+0%", 0.0, relative=True)))
    assert found.verdict is Verdict.PASS


def test_what_was_not_asked_is_not_checked() -> None:
    found = peaks([1], [1000])
    assert list(cost_checks(found, (1, 1000), Budgets(0.03))) == []
    asked = Budgets(0.03, memory=EXACTLY, load=EXACTLY)
    assert list(cost_checks(None, (1, 1), asked)) == []
    both = cost_checks(loads([1.0] * 2, [1.0] * 2), (1, 1), Budgets(0, size=EXACTLY, load=EXACTLY))
    assert [check.name for check in both] == ["size", "load"]


def test_both_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    told: list[tuple[int, int | None]] = []

    def alone(subject: object, plan: object, by: object) -> SoloAnswer:
        asked.append((subject, plan, by))
        return answer(len(asked))

    monkeypatch.setattr("edgeopt.benchmarks.gate.alone.time_alone", alone)
    both = both_alone(["a", "b"], "plan", lambda _, n, of: told.append((n, of)), "by")  # type: ignore[arg-type, list-item]
    assert len(asked) == 10
    assert asked == [(side, "plan", "by") for _ in range(ROUNDS) for side in "ab"]
    assert [[each.memory.peak_bytes.value for each in side] for side in both] == [
        list(range(1, 2 * ROUNDS, 2)),
        list(range(2, 2 * ROUNDS + 1, 2)),
    ]
    assert told == [(n, ROUNDS) for n in range(ROUNDS + 1)]
