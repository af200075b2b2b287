"""When processes are started, and when no more are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from edgeopt.benchmarks.conditions import Conditions, Reading
from edgeopt.benchmarks.gate.duel import Duel, Rules, duel, times_by, times_here
from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.messages import Block, PairedAnswer, RuntimeRecord, WarmupAnswer
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.process import ask
from edgeopt.core.errors import UsageError
from edgeopt.core.progress import silent

NOTHING: Reading[object] = Reading(absent="made up")
STATE = Conditions("", *[NOTHING] * 5)  # type: ignore[arg-type]
RUNTIME = RuntimeRecord("onnxruntime", "1", ())


def answer(*ns: int) -> PairedAnswer:
    """A process whose artifacts' calls took these times, made up."""
    blocks = tuple(Block(index, (each,) * 3) for index, each in enumerate(ns))
    warm = WarmupAnswer(1, 1, True, 1.0)
    return PairedAnswer((RUNTIME,) * 3, (0, 1, 2), (warm,) * 3, STATE, blocks, STATE)


class Machine:
    """Gives processes whose candidate takes ``ratio`` times as long, a little up and down."""

    def __init__(self, ratio: float, wobble: float = 0.001) -> None:
        self.ratio, self.wobble, self.asked = ratio, wobble, 0

    def __call__(self, number: int, first: int) -> Iterator[PairedAnswer]:
        for process in range(first, first + number):
            self.asked += 1
            sign = 1 if process % 2 else -1
            slow = self.ratio * (1 + sign * self.wobble)
            yield answer(10**6, 10**6 + process, round(10**6 * slow))


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.0, Verdict.PASS), (1.05, Verdict.REGRESSION), (0.5, Verdict.PASS)]
)
def test_a_clear_case_ends_at_the_first_look(ratio: float, verdict: Verdict) -> None:
    machine = Machine(ratio)
    found = duel(machine, Rules(0.03, 20, 60), silent)
    assert (found.verdict, machine.asked) == (verdict, 5)


def test_an_open_case_goes_on_to_the_cap() -> None:
    machine = Machine(1.03, wobble=0.01)
    found = duel(machine, Rules(0.03, 20, 60), silent)
    assert (found.verdict, machine.asked) == (Verdict.INCONCLUSIVE, 20)
    assert not found.out_of_time


def test_time_ends_it_between_looks_without_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr("edgeopt.benchmarks.gate.duel.monotonic", lambda: next(clock))
    machine = Machine(1.0)
    found = duel(machine, Rules(0.03, 20, 3), silent)
    assert (found.verdict, found.out_of_time, machine.asked) == (Verdict.INCONCLUSIVE, True, 3)
    assert found.look is not None
    assert found.look.ratio.high < 1.03  # it looks like a pass, and no look was planned here


@pytest.mark.parametrize(("seconds", "asked"), [(4, 4), (5, 5)])
def test_time_that_is_not_over_is_used(
    seconds: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(1)
    monkeypatch.setattr("edgeopt.benchmarks.gate.duel.monotonic", lambda: next(clock))
    machine = Machine(1.0)
    duel(machine, Rules(0.03, 20, seconds), silent)
    assert machine.asked == asked


@pytest.mark.parametrize(("seconds", "known"), [(0.5, False), (1, False), (2, True)])
def test_one_process_has_no_interval(
    seconds: float, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count()
    monkeypatch.setattr("edgeopt.benchmarks.gate.duel.monotonic", lambda: next(clock))
    found = duel(Machine(1.0), Rules(0.03, 20, seconds), silent)
    assert (found.look is not None, found.out_of_time) == (known, True)


def test_what_is_known_before_the_first_process() -> None:
    assert (Duel().verdict, Duel().processes, Duel().ratios) == (Verdict.INCONCLUSIVE, [], ())
    assert not Duel().out_of_time


def test_every_process_is_told_and_kept() -> None:
    told: list[tuple[int, int | None]] = []
    found = duel(Machine(1.05), Rules(0.03, 20, 60), lambda _, done, of: told.append((done, of)))
    assert told == [(0, 20), (1, 20), (2, 20), (3, 20), (4, 20), (5, 20)]
    assert [ratio.copy for ratio in found.ratios] == pytest.approx(
        [1 + process / 1e6 for process in range(5)], abs=1e-9
    )
    slow = [1.05 * (1.001 if process % 2 else 0.999) for process in range(5)]
    assert [ratio.candidate for ratio in found.ratios] == pytest.approx(slow, rel=1e-5)


def test_processes_go_on_being_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def together(subjects: object, plan: Plan, *, first: int, by: object) -> Iterator[PairedAnswer]:
        asked.append((subjects, plan.processes, first, by))
        return iter([])

    monkeypatch.setattr("edgeopt.benchmarks.gate.duel.time_together", together)
    start = times_by("by", "baseline", "candidate", Plan())  # type: ignore[arg-type]
    start(3, 7)
    times_here("baseline", "candidate", Plan())(1, 0)  # type: ignore[arg-type]
    three = ("baseline", "baseline", "candidate")
    assert asked == [(three, 3, 7, "by"), (three, 1, 0, ask)]


@pytest.mark.parametrize(
    ("cap", "seconds", "said"),
    [
        (1, 60, "--max-processes is 1: one process gives no interval"),
        (2, 0, "--max-time is 0 s: use more than 0"),
        (2, -1, "--max-time is -1 s"),
        (2, float("nan"), "--max-time is nan s"),
    ],
)
def test_what_is_no_rule_is_refused(cap: int, seconds: float, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Rules(0.03, cap, seconds)
    assert Rules(0.03, 2, 1e-9).cap == 2
