"""Steps and drifts whose truth is known."""

from __future__ import annotations

import builtins
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from edgeopt.benchmarks.history.drift import drift
from edgeopt.benchmarks.history.levels import last_chain
from edgeopt.core.record import to_json

if TYPE_CHECKING:
    from tests.benchmarks.history.conftest import Drawn, Made

RUNS = 200


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("count", [6, 30])
def test_where_nothing_changes_there_is_hardly_ever_a_step(
    drawn: Drawn, count: int, chained: bool
) -> None:
    found = [
        drift(last_chain(drawn([0.0] * count, chained=chained, seed=seed))) for seed in range(RUNS)
    ]
    assert sum(bool(each.steps) for each in found) / RUNS < 0.08
    assert sum(each.change.low <= 1 <= each.change.high for each in found) / RUNS > 0.9


@pytest.mark.parametrize(("chained", "share"), [(False, 0.95), (True, 0.7)])
def test_a_step_is_found_where_it_is(drawn: Drawn, chained: bool, share: float) -> None:
    levels = [0.0] * 6 + [0.02] * 6
    found = [drift(last_chain(drawn(levels, chained=chained, seed=seed))) for seed in range(RUNS)]
    right = [each for each in found if each.steps and each.steps[0].at == 6]
    assert len(right) / RUNS > share
    assert all(each.steps and each.steps[0].label == "7" for each in right)
    held = [each.steps[0].change for each in right if each.steps]
    assert sum(c.low <= 1.0202 <= c.high for c in held) / len(held) > 0.95


def test_steps_that_each_pass_add_up(drawn: Drawn) -> None:
    # 1 % with every sixth commit: all within a budget of 3 %.
    levels = [0.01 * (i // 6) for i in range(36)]
    found = drift(last_chain(drawn(levels, chained=False)))
    assert found.change.low < math.exp(0.05) < found.change.high
    assert found.change.low > 1.04
    assert found.steps
    assert len(found.steps) == 5
    pairs = zip(found.steps, (6, 12, 18, 24, 30), strict=True)
    assert all(abs(step.at - true) <= 1 for step, true in pairs)
    assert json.loads(to_json(found))["steps"][0]["at"] == 6
    assert len(found.labels) == len(found.levels) == 36


def test_a_long_chain_knows_less(drawn: Drawn) -> None:
    levels = [0.003 * i for i in range(30)]
    found = [drift(last_chain(drawn(levels, chained=chained))) for chained in (True, False)]
    wide, narrow = (each.change.high / each.change.low for each in found)
    assert wide > 3 * (narrow - 1) + 1
    assert found[0].change.low > 1.03


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_comparisons_have_no_steps_but_a_drift(drawn: Drawn, count: int) -> None:
    found = drift(last_chain(drawn([0.02] * count, chained=False)))
    assert found.steps == ()
    assert found.change.low < 1.0202 < found.change.high


def test_without_ruptures_the_end_is_the_last_comparison(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "ruptures":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    found = drift(last_chain([made("a", str(i), 1 + i / 100) for i in range(8)]))
    assert found.steps is None
    assert found.change.point == pytest.approx(1.07)
