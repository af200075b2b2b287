"""What a chain of comparisons adds up to."""

from __future__ import annotations

from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.core.record import Record


class Step(Record, frozen=True):
    """A change that stayed.

    Args:
        at: The number of the first comparison after it, counted from 0.
        label: That comparison's.
        change: The latency after it over that before it; all of a history's steps are within their
            intervals 95 times in 100.
    """

    at: int
    label: str
    change: Interval


class Drift(Record, frozen=True):
    """What a chain of comparisons adds up to.

    Args:
        labels: Of each comparison.
        levels: Each candidate's latency over that of the chain's first baseline.
        steps: Where it changed and stayed; None where the package that finds them is missing.
        change: The latency at the end over that at the beginning, with its 95 % interval; of what
            lies between the last step and the end, and the chain's first baseline.
    """

    labels: tuple[str, ...]
    levels: tuple[float, ...]
    steps: tuple[Step, ...] | None
    change: Interval
