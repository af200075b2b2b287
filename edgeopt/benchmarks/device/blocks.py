"""The two loops that call a model: warming it up, and timing it."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Callable, Dict, List, NamedTuple, Union

Run = Callable[[], object]
"""One inference, with its inputs already bound."""

_BATCH_NS = 10000000
_TOLERANCE = 0.02
_CALM_BATCHES = 3


class Warmup(NamedTuple):
    """How a warm-up went.

    Args:
        calls: Calls made.
        ns: Time they took together, in ns.
        settled: Whether it ended because the model grew no faster, rather than on time.
        call_ns: What a call takes, in ns: the mean of the fastest batch of calls.
    """

    calls: int
    ns: int
    settled: bool
    call_ns: float

    def as_json(self) -> Dict[str, Union[int, float, bool]]:
        """The warm-up as the result holds it."""
        return dict(self._asdict())


def warm_up(run: Run, bound_ns: float) -> Warmup:
    """Call a model until it stops growing faster, or until ``bound_ns`` have passed.

    It has settled when three batches of about 10 ms in a row are no more than 2 % faster than the
    fastest before them. At least one call is made.
    """
    count, calls, calm = 0, 1, 0
    best = float("inf")
    start = perf_counter_ns()
    while True:
        each = _mean_ns(run, calls)
        count += calls
        calm = calm + 1 if each > best * (1 - _TOLERANCE) else 0
        best = min(best, each)
        spent = perf_counter_ns() - start
        if calm >= _CALM_BATCHES or spent >= bound_ns:
            return Warmup(count, spent, calm >= _CALM_BATCHES, best)
        calls = max(1, int(_BATCH_NS / each))


def _mean_ns(run: Run, calls: int) -> float:
    start = perf_counter_ns()
    for _ in range(calls):
        run()
    return max(1.0, (perf_counter_ns() - start) / calls)


def timed_block(run: Run, calls: int) -> List[int]:
    """Time ``calls`` calls in a row, in ns each.

    One untimed call comes first: the model that ran before has taken the caches, and that cost
    belongs to the schedule, not to the model. A block of one call goes without, since such a model
    runs long enough for it not to matter. The clock is read once a call, so that a sample holds the
    call, one clock reading and the loop's own step, together about 0.1 us.
    """
    clock = perf_counter_ns
    marks = [0] * (calls + 1)
    steps = range(1, calls + 1)
    if calls > 1:
        run()
    marks[0] = clock()
    for step in steps:
        run()
        marks[step] = clock()
    return [after - before for before, after in zip(marks, marks[1:])]
