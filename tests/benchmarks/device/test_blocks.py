from __future__ import annotations

import time

import pytest

from edgeopt.benchmarks.device import blocks


class Model:
    """Counts its calls; its first ones are slower, as a real model's are."""

    def __init__(self, slow_calls: int = 0) -> None:
        self.calls, self.slow_calls = 0, slow_calls

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.slow_calls:
            time.sleep(0.002)


def test_one_call_of_a_block_is_not_timed() -> None:
    model = Model()
    samples = blocks.timed_block(model, 10)
    assert len(samples) == 10
    assert model.calls == 11
    assert all(ns >= 0 for ns in samples)


def test_a_block_of_one_call_is_just_that() -> None:
    model = Model()
    assert len(blocks.timed_block(model, 1)) == 1
    assert model.calls == 1


def test_warming_up_goes_past_the_slow_calls() -> None:
    model = Model(slow_calls=3)
    warmup = blocks.warm_up(model, 5e9)
    assert warmup.settled
    assert warmup.calls == model.calls > 3
    assert warmup.call_ns < 1e6


def test_a_model_that_never_settles_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(1e6 * 0.9**n for n in range(10_000))
    monkeypatch.setattr(blocks, "_mean_ns", lambda *_: next(times))
    warmup = blocks.warm_up(Model(), 1e6)
    assert not warmup.settled
    assert warmup.ns >= 1e6


def test_a_slow_model_is_called_once_at_least() -> None:
    assert blocks.warm_up(lambda: time.sleep(0.01), 1).calls == 1
