"""Verdicts on processes whose true ratio is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgeopt.benchmarks.device.statistics import LogRatio
from edgeopt.benchmarks.gate.slowdown import Process, look
from edgeopt.benchmarks.gate.spending import levels, looks
from edgeopt.benchmarks.gate.verdict import Verdict

T95, T60 = 4.302653, 1.060660
"""Student's quantiles at two degrees of freedom, two-sided: of tables."""
ALLOWED = 0.03
RUNS = 2000


def processes(
    rng: np.random.Generator, count: int, ratio: float, noise: float, copy: float = 1.0
) -> list[Process]:
    """Processes of a machine whose sessions differ by ``noise`` from process to process."""
    drawn = rng.normal(0, noise, (count, 3)) + np.log([1, copy, ratio])
    return [Process(LogRatio(c - (a + b) / 2), LogRatio(b - a)) for a, b, c in drawn.tolist()]


def verdicts(ratio: float, noise: float, copy: float = 1.0, cap: int = 20) -> dict[Verdict, float]:
    """The share of each verdict over many sequential comparisons."""
    rng = np.random.default_rng(3)
    found = dict.fromkeys(Verdict, 0.0)
    planned = looks(cap)
    for _ in range(RUNS):
        drawn = processes(rng, cap, ratio, noise, copy)
        said = Verdict.INCONCLUSIVE
        for at, level in zip(planned, levels(planned), strict=True):
            decided = look(drawn[:at], ALLOWED, level).verdict
            if decided is not None:
                said = decided
                break
        found[said] += 1 / RUNS
    return found


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.03])
def test_a_slowdown_at_the_budget_is_hardly_ever_passed_nor_called_a_regression(
    noise: float,
) -> None:
    found = verdicts(1 + ALLOWED, noise)
    # Each error is 2.5 % at most; 4 standard errors of 2,000 draws are 1.4 %.
    assert found[Verdict.PASS] < 0.039
    assert found[Verdict.REGRESSION] < 0.039


@pytest.mark.parametrize("noise", [0.003, 0.01])
def test_equals_pass_and_what_is_slower_is_found(noise: float) -> None:
    same, slower = verdicts(1.0, noise), verdicts(1.05, noise)
    assert same[Verdict.REGRESSION] == 0
    assert same[Verdict.PASS] > 0.99
    assert slower[Verdict.PASS] < 0.001
    assert slower[Verdict.REGRESSION] > 0.95


def test_a_faster_one_is_never_a_regression() -> None:
    assert verdicts(0.8, 0.02)[Verdict.REGRESSION] == 0


def test_too_much_noise_is_inconclusive_rather_than_wrong() -> None:
    found = verdicts(1.0, 0.3)
    assert found[Verdict.REGRESSION] < 0.039
    assert found[Verdict.INCONCLUSIVE] > 0.9


def test_a_machine_that_finds_a_copy_slower_is_unfit() -> None:
    assert verdicts(1.0, 0.003, copy=1.1)[Verdict.UNFIT] > 0.99
    assert verdicts(1.0, 0.003, copy=0.9)[Verdict.UNFIT] > 0.99


SAME = [Process(LogRatio(0.0), LogRatio(0.0))] * 3


def test_exactly_what_is_allowed_is_neither_passed_nor_refused() -> None:
    assert look(SAME, 0.0, 0.01).verdict is None
    assert look(SAME, 0.001, 0.01).verdict is Verdict.PASS
    slower = [Process(LogRatio(0.01), LogRatio(0.0))] * 3
    assert look(slower, 0.001, 0.01).verdict is Verdict.REGRESSION


@pytest.mark.parametrize("copy", [0.01, -0.01])
def test_a_copy_may_differ_by_as_much_as_is_allowed(copy: float) -> None:
    found = [Process(LogRatio(0.0), LogRatio(copy))] * 3
    assert look(found, 0.02, 0.01).verdict is Verdict.PASS
    assert look(found, 0.005, 0.01).verdict is Verdict.UNFIT


def test_a_looks_figures_by_hand() -> None:
    # The candidate's logs: mean 0.02, standard error 0.01 / sqrt 3; the copy's: mean 0.
    logs = [(0.01, -0.001), (0.02, 0.0), (0.03, 0.001)]
    found = look([Process(LogRatio(a), LogRatio(b)) for a, b in logs], ALLOWED, 0.025)
    half = T95 * 0.01 / math.sqrt(3)
    assert (found.ratio.low, found.ratio.point, found.ratio.high) == pytest.approx(
        (math.exp(0.02 - half), math.exp(0.02), math.exp(0.02 + half))
    )
    assert found.copy.high == pytest.approx(math.exp(half / 10))
    assert found.ratio.confidence == found.copy.confidence == 0.95
    assert found.detectable == pytest.approx(1.03 * math.exp(half * (1 + T60 / T95)))


def test_what_could_have_been_seen_is_found_four_times_in_five() -> None:
    noise, level = 0.01, 0.01
    rng = np.random.default_rng(5)
    seen = np.median(
        [look(processes(rng, 10, 1, noise), ALLOWED, level).detectable for _ in range(500)]
    )
    found = [
        look(processes(rng, 10, float(seen), noise), ALLOWED, level).verdict for _ in range(RUNS)
    ]
    share = sum(verdict is Verdict.REGRESSION for verdict in found) / RUNS
    assert 0.72 < share < 0.88
