"""Sparing as few layers as a budget needs, those first that bring most for what they cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from edgeopt.benchmarks.result import Ratio
from edgeopt.pipeline.search.record import Arithmetic, Candidate, Mix, Point

Try = Callable[[Mix], tuple[Point, bool]]
"""Makes the artifact with this mix; gives its point, and whether it meets the budget."""


def ordered(
    candidates: Sequence[Candidate], layers: int, float_ratio: Ratio | None = None
) -> tuple[Candidate, ...]:
    """The order in which layers are spared: by what they bring over the latency that it costs.

    What wasn't measured is taken to cost as much as the most that was. What brings nothing by
    itself comes last, as two layers in float also spare the tensor between them. 16 bits count
    only where they were measured, and cost less than the whole model in float does: most runtimes
    compute them in float, and convert besides. One layer is left, as nothing would be int8 else.

    Args:
        candidates: What was asked.
        layers: How many layers could be spared.
        float_ratio: The float model's latency over int8's.
    """
    most = math.inf if float_ratio is None else float_ratio.point - 1
    useful = [c for c in candidates if c.gain > 0 and (_floats(c) or _pays(c, most))]
    dearest = max((c.cost for c in useful if c.cost is not None and _floats(c)), default=1.0)

    def worth(candidate: Candidate) -> float:
        return candidate.gain / (dearest if candidate.cost is None else candidate.cost)

    useful.sort(key=lambda c: (-worth(c), c.layer, c.arithmetic))
    idle = [c for c in candidates if c.gain <= 0 and _floats(c)]
    order = [*useful, *sorted(idle, key=lambda c: (-c.gain, c.layer))]
    spared: set[str] = set()
    for place, candidate in enumerate(order):
        spared.add(candidate.layer)
        if len(spared) == layers:
            return tuple(order[:place])
    return tuple(order)


def _pays(candidate: Candidate, most: float) -> bool:
    return candidate.cost is not None and candidate.cost < most


def _floats(candidate: Candidate) -> bool:
    return candidate.arithmetic is Arithmetic.FLOAT


def fewest(
    order: Sequence[Candidate], attempt: Try, *, in_time: Callable[[], bool]
) -> Point | None:
    """The shortest beginning of the order that meets the budget, less what turns out not needed.

    Args:
        order: What may be spared.
        attempt: Tries some of it.
        in_time: False ends what only improves on a mix that meets the budget already.

    Returns:
        The point that meets it; None if none does.
    """
    if not order:
        return None
    low, high = 0, 1
    while not attempt(Mix.of(order[:high]))[1]:  # 1, 2, 4, ...: few are tried where few are enough
        if high == len(order):
            return None
        low, high = high, min(2 * high, len(order))
    while high - low > 1 and in_time():
        middle = (low + high) // 2
        low, high = (low, middle) if attempt(Mix.of(order[:middle]))[1] else (middle, high)
    return _without_needless(list(order[:high]), attempt, in_time)


def _without_needless(spared: list[Candidate], attempt: Try, in_time: Callable[[], bool]) -> Point:
    # The last one taken met the budget; one before it may not have been needed.
    for candidate in spared[-2::-1]:
        if not in_time():
            break
        fewer = [c for c in spared if c is not candidate]
        spared = fewer if attempt(Mix.of(fewer))[1] else spared
    return attempt(Mix.of(spared))[0]
