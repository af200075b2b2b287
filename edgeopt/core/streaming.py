"""Running many samples, several at a time.

A sample on each core beats every core on one sample: no operator waits for the slowest thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
R = TypeVar("R")

MOST = 4
"""Each sample in flight holds its own activations: memory sets the limit."""


def each_of(
    samples: Iterable[S], call: Callable[[S], R], *, parallel: bool = True
) -> Iterator[tuple[S, R]]:
    """Call a function of each sample; results come in the samples' order.

    Args:
        samples: Read one by one, a few ahead of the results.
        call: Called from several threads at once, if ``parallel``. A session it runs should have
            one thread.
        parallel: Whether it may be.

    Raises:
        Exception: What ``call`` raised, when its sample's turn comes.
    """
    workers = min(MOST, _cores()) if parallel else 1
    if workers == 1:
        yield from ((sample, call(sample)) for sample in samples)
        return
    waiting: deque[tuple[S, Future[R]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for sample in samples:
                waiting.append((sample, pool.submit(call, sample)))
                if len(waiting) > workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _cores() -> int:
    # A container or taskset may leave fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
