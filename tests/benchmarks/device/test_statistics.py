from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.device import statistics

positive = st.floats(1e-3, 1e9)
samples = st.lists(positive, min_size=1, max_size=50)
logs = st.lists(st.floats(-1, 1), min_size=2, max_size=20)

# Two-sided 90, 95 and 99 % points of Student's t: Abramowitz and Stegun, table 26.10.
T_TABLE = [
    (1, 6.314, 12.706, 63.657),
    (2, 2.920, 4.303, 9.925),
    (3, 2.353, 3.182, 5.841),
    (4, 2.132, 2.776, 4.604),
    (5, 2.015, 2.571, 4.032),
    (9, 1.833, 2.262, 3.250),
    (10, 1.812, 2.228, 3.169),
    (30, 1.697, 2.042, 2.750),
    (120, 1.658, 1.980, 2.617),
]


@pytest.mark.parametrize(("freedom", "t90", "t95", "t99"), T_TABLE)
def test_t_is_the_table_s(freedom: int, t90: float, t95: float, t99: float) -> None:
    for confidence, expected in ((0.90, t90), (0.95, t95), (0.99, t99)):
        assert statistics.t_quantile(confidence, freedom) == pytest.approx(expected, abs=6e-4)


@given(st.floats(0.01, 0.999), st.integers(1, 200))
def test_t_inverts_its_probability(confidence: float, freedom: int) -> None:
    t = statistics.t_quantile(confidence, freedom)
    assert statistics.t_probability(t, freedom) == pytest.approx(confidence, abs=1e-9)


@given(st.integers(1, 100))
def test_t_shrinks_towards_the_normal(freedom: int) -> None:
    assert statistics.t_quantile(0.95, freedom) > statistics.t_quantile(0.95, freedom + 1) > 1.9599


@given(samples, st.floats(0, 1))
def test_a_quantile_lies_within(values: list[float], q: float) -> None:
    assert min(values) <= statistics.quantile(values, q) <= max(values)


@given(samples, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise(values: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert statistics.quantile(values, low) <= statistics.quantile(values, high) * (1 + 1e-12)


def test_the_quantile_is_definition_7() -> None:
    assert statistics.quantile([1, 2, 3, 4], 0.5) == 2.5
    assert statistics.quantile([1, 2, 3, 4], 0.1) == pytest.approx(1.3)


@pytest.mark.parametrize(
    ("count", "p90", "p99"), [(63, 0, 0), (64, 1, 0), (661, 1, 0), (662, 1, 1)]
)
def test_tails_need_their_samples(count: int, p90: bool, p99: bool) -> None:
    summary = statistics.latency([list(range(1, count + 1))])
    assert (summary["p90"] is not None, summary["p99"] is not None) == (p90, p99)


def test_a_latency_pools_processes_and_keeps_them_apart() -> None:
    summary = statistics.latency([[1_000_000] * 3, [3_000_000] * 5])
    assert summary["count"] == 8
    assert (summary["min"], summary["max"]) == (1.0, 3.0)
    assert summary["p50"] == 3.0
    assert summary["process_q10"] == [1.0, 3.0]
    assert summary["mean"] == pytest.approx(2.25)


def test_one_call_has_no_spread() -> None:
    assert statistics.latency([[5]])["stdev"] == 0


@given(logs)
def test_turning_a_ratio_round_inverts_it(values: list[float]) -> None:
    forth, back = ratio(values), ratio([-x for x in values])
    assert forth["point"] == pytest.approx(1 / back["point"])
    assert forth["low"] == pytest.approx(1 / back["high"])
    assert forth["high"] == pytest.approx(1 / back["low"])


@given(logs)
def test_the_point_is_inside_its_interval(values: list[float]) -> None:
    found = ratio(values)
    assert found["low"] <= found["point"] <= found["high"]
    assert found["processes"] == len(values)


def ratio(values: list[float], confidence: float = 0.95) -> dict[str, Any]:
    return statistics.ratio([statistics.LogRatio(x) for x in values], confidence)


@given(st.lists(positive, min_size=2, max_size=8), st.floats(0.1, 10))
def test_a_ratio_is_free_of_what_all_of_a_process_share(
    quantiles: list[float], factor: float
) -> None:
    slower = [q * factor for q in quantiles]
    found = statistics.ratio(statistics.log_ratios(quantiles, slower))
    assert found["point"] == pytest.approx(factor)
    assert found["low"] == pytest.approx(factor)


@pytest.mark.parametrize(
    ("block", "value"), [([7], 7), ([9, 5, 7], 5), (range(10, 0, -1), 1), (range(25, 0, -1), 3)]
)
def test_a_block_is_summed_up_by_one_of_its_calls(block: Sequence[int], value: int) -> None:
    assert statistics.low(block) == value


def test_a_machine_that_changes_its_speed_between_rounds_changes_no_ratio() -> None:
    speeds = [1.0, 1.0, 1.5, 1.5, 1.5, 1.4, 1.0, 1.0]
    session = [[round(1e6 * speed)] * 8 for speed in speeds]
    slower = [[round(1.05e6 * speed)] * 8 for speed in speeds]
    # The fast rounds are a quarter of one session and none of the other: a quantile of all calls
    # would call it 1.4 times as slow.
    slower[0] = slower[1] = [round(1.6e6)] * 8
    found = statistics.log_ratio(slower, session, session)
    assert math.exp(found.value) == pytest.approx(1.05)
    assert found.error == pytest.approx(0, abs=1e-6)
    assert statistics.log_ratio(session, session) == (0, 0)


def test_a_process_s_own_error_is_that_of_its_median() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.02, (4000, 30))
    blocks = [[[round(1e9 * math.exp(x))] for x in row] for row in noise]
    found = [statistics.log_ratio(row, [[10**9]] * 30) for row in blocks]
    spread = np.std([each.value for each in found])
    assert spread == pytest.approx(0.02 * math.sqrt(math.pi / 2 / 30), rel=0.05)
    assert np.median([each.error for each in found]) == pytest.approx(spread, rel=0.1)


def test_a_ratio_s_interval_is_student_s() -> None:
    values = [0.01, 0.02, 0.03, 0.04, 0.05]
    half = 2.776 * np.std(values, ddof=1) / math.sqrt(5)
    found = ratio(values)
    assert math.log(found["low"]) == pytest.approx(0.03 - half, abs=1e-5)
    assert math.log(found["high"]) == pytest.approx(0.03 + half, abs=1e-5)


@pytest.mark.parametrize(("confidence", "inside"), [(0.80, 0.80), (0.95, 0.95)])
def test_the_interval_holds_what_it_promises(confidence: float, inside: float) -> None:
    rng = np.random.default_rng(0)
    draws = rng.normal(0.1, 0.02, size=(2000, 5))
    found = [ratio(list(row), confidence) for row in draws]
    covered = np.mean([r["low"] <= math.exp(0.1) <= r["high"] for r in found])
    assert covered == pytest.approx(inside, abs=0.03)


@pytest.mark.parametrize("confidence", [0.95, 0.98])
@pytest.mark.parametrize("wild", [0.02, 0.05, 0.1])
def test_the_interval_holds_it_where_some_processes_know_less(
    confidence: float, wild: float
) -> None:
    rng = np.random.default_rng(2)
    found = [
        statistics.ratio([doubtful(rng, wild) for _ in range(5)], confidence) for _ in range(1000)
    ]
    covered = np.mean([r["low"] <= 1 <= r["high"] for r in found])
    assert covered >= confidence - 0.02


def doubtful(rng: np.random.Generator, wild: float) -> statistics.LogRatio:
    """One of five processes is many times as uncertain, and knows it by its rounds."""
    deviation = wild if rng.random() < 0.2 else 0.005
    rounds = rng.normal(rng.normal(0, 0.004), deviation * math.sqrt(30 / (math.pi / 2)), 30)
    block = [[[round(1e9 * math.exp(x))] for x in rounds], [[10**9]] * 30]
    return statistics.log_ratio(*block)


def test_a_process_that_knows_less_counts_for_less() -> None:
    known = [statistics.LogRatio(x, 0.01) for x in (0.0, 0.01, -0.01, 0.005)]
    wild = [*known, statistics.LogRatio(0.3, 0.2)]
    found, plain = statistics.ratio(wild), ratio([0.0, 0.01, -0.01, 0.005, 0.3])
    assert found["point"] < 1.01 < plain["point"]
    assert found["high"] < plain["high"] / 1.2
