"""Our gate's verdicts on processes of a pool: the gate's own code, fed from the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pool import Process

from edgeopt.benchmarks.gate.duel import Duel, Rules, duel
from edgeopt.core.progress import silent

CAP, FOR_EVER = 20, 1e9
BUDGET = 0.03
"""The defaults of ``edgeopt compare``."""


class PoolIsEmptyError(Exception):
    """There are no more processes."""


@dataclass(frozen=True)
class _Stored:
    """A process as the gate takes it: of each block one call, the one that sums it up."""

    low: tuple[tuple[float, ...], ...]

    def turns(self, index: int) -> list[tuple[float]]:
        return [(each,) for each in self.low[index]]


def duels(
    processes: Sequence[Process],
    arm: str,
    *,
    budget: float = BUDGET,
) -> list[Duel]:
    """What the gate says, over and over, each time of processes that it hasn't seen.

    Args:
        processes: The pool's.
        arm: The candidate.
        budget: The slowdown that is allowed, as a share.
    """
    source, found = iter(processes), []
    rules = Rules(budget, CAP, FOR_EVER)
    while True:
        try:
            found.append(duel(_times(source, ("baseline", "copy", arm)), rules, silent))
        except PoolIsEmptyError:
            return found


def verdicts(found: Sequence[Duel]) -> Counter[str]:
    """How often each verdict was given."""
    return Counter(each.verdict.value for each in found)


def _times(source: Iterator[Process], arms: tuple[str, str, str]) -> Callable[[int, int], Any]:
    def start(count: int, first: int) -> Iterator[Any]:  # noqa: ARG001 - the pool has its order
        for _ in range(count):
            process = next(source, None)
            if process is None:
                raise PoolIsEmptyError
            yield _Stored(tuple(process.arms[arm].low for arm in arms))

    return start
