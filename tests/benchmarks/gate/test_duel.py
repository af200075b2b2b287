"""When processes are started, and when no more are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from edgeopt.benchmarks.conditions import Conditions, Reading
from edgeopt.benchmarks.gate.duel import Rules, duel
from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.messages import Block, PairedAnswer, RuntimeRecord, WarmupAnswer
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


def test_one_process_is_no_cap() -> None:
    with pytest.raises(UsageError, match="--max-processes is 1"):
        Rules(0.03, 1, 60)
