from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.device.schedule import (
    BLOCK_NS,
    LONGEST_NS,
    MIN_ROUNDS,
    block_lengths,
    block_order,
    creation_order,
    generator,
)

counts = st.integers(1, 6)
rounds = st.integers(1, 50)
seeds = st.text(max_size=10)
durations = st.floats(1e6, 1e11)
calls = st.lists(st.floats(100, 1e10), min_size=1, max_size=5)


@given(counts, rounds, seeds)
def test_every_artifact_gets_the_same_number_of_blocks(count: int, n: int, seed: str) -> None:
    order = block_order(count, n, generator(seed))
    assert Counter(order) == dict.fromkeys(range(count), n)


@given(counts, rounds, seeds)
def test_each_round_holds_every_artifact_once(count: int, n: int, seed: str) -> None:
    order = block_order(count, n, generator(seed))
    for start in range(0, len(order), count):
        assert sorted(order[start : start + count]) == list(range(count))


@given(counts, seeds)
def test_everything_is_created_once(count: int, seed: str) -> None:
    assert sorted(creation_order(count, generator(seed))) == list(range(count))


@given(seeds)
def test_a_seed_draws_the_same_order_again(seed: str) -> None:
    assert block_order(3, 20, generator(seed)) == block_order(3, 20, generator(seed))


def test_orders_differ_between_processes() -> None:
    orders = {tuple(block_order(3, 40, generator(f"0/{process}"))) for process in range(20)}
    firsts = Counter(creation_order(2, generator(f"0/{process}"))[0] for process in range(200))
    assert len(orders) == 20
    assert 60 < firsts[0] < 140


@given(calls, durations)
def test_blocks_fill_the_duration_evenly(call_ns: list[float], duration: float) -> None:
    n, lengths = block_lengths(call_ns, duration)
    assert n >= MIN_ROUNDS
    assert len(lengths) == len(call_ns)
    for each, length in zip(call_ns, lengths, strict=True):
        # The nearest whole number of calls; at least one.
        assert length == 1 or abs(n * length * each - duration) <= n * each * 0.51


def test_the_slowest_sets_the_length_of_blocks() -> None:
    assert block_lengths([1e6], 1e9) == (1e9 // BLOCK_NS, [10])
    assert block_lengths([5e6], 1e9) == (50, [4])
    assert block_lengths([1e7], 1e9) == (1e9 // LONGEST_NS, [2])
    assert block_lengths([1e6, 1e8], 1e9) == (10, [100, 1])
    assert block_lengths([1e6, 1e10], 1e9) == (MIN_ROUNDS, [200, 1])
