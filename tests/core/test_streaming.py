import os
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.core.streaming import MOST, each_of


@given(st.lists(st.integers(), max_size=40), st.booleans())
def test_every_sample_once_and_in_order(samples: list[int], parallel: bool) -> None:
    found = list(each_of(samples, lambda s: s * 2, parallel=parallel))
    assert found == [(s, s * 2) for s in samples]


def test_only_a_few_are_read_ahead() -> None:
    read = 0

    def samples() -> Iterator[int]:
        nonlocal read
        while read < 1000:
            read += 1
            yield read

    results = each_of(samples(), lambda s: s)
    next(results)
    assert read <= MOST + 1
    results.close()  # type: ignore[attr-defined]


def test_an_error_comes_in_its_samples_turn_and_ends_the_rest() -> None:
    called = []

    def call(sample: int) -> int:
        called.append(sample)
        if sample == 3:
            raise KeyError(sample)
        return sample

    results = each_of(range(1000), call)
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    assert len(called) < 20


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_one_core_has_one_worker() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        threads = {thread for _, thread in each_of(range(9), lambda s: threading.get_ident())}
    finally:
        os.sched_setaffinity(0, allowed)
    assert threads == {threading.get_ident()}


def test_no_thread_outlives_it() -> None:
    before = threading.active_count()
    results = each_of(range(100), lambda s: time.sleep(0.001))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
