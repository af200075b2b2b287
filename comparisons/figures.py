"""The figures that EdgeOpt is held to, and what was reached: types.

``goals`` lists every :class:`Figure`. Each comparison gives its :class:`Finding` s by
``figures()``, beside the tables of its ``main()`` and from the same kept results. ``page.py`` puts
the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What stands behind a number."""

    MEASURED = "measured"
    """Timed, or weighed in memory, on the machine that the page names."""
    COUNTED = "counted"
    """Follows from the files and the data alone: errors, layers, bytes, verdicts on kept runs."""
    EMULATED = "emulated"
    """On a board that QEMU emulates."""
    TESTED = "tested"
    """A test of ours holds it, which can't pass otherwise."""


class Status(Enum):
    """Whether a goal was reached."""

    MET = "yes"
    OPEN = "open"
    """Missed by the point, while the interval holds the goal."""
    MISSED = "no"
    NONE = ""
    """There is no goal: the figure is reported."""
    UNKNOWN = "not measured"
    """Nobody has found it yet."""


@dataclass(frozen=True)
class Goal:
    """A bound.

    Args:
        bound: The number itself is still allowed.
        most: Whether it is the largest that is allowed; the smallest if not.
        unit: Of the bound and of what is held against it.
        aim: What was asked for in words, where the bound alone doesn't tell: ``22.6 within 0.2``.
    """

    bound: float
    most: bool
    unit: str = ""
    aim: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value is within the bound."""
        return value <= self.bound if self.most else value >= self.bound

    def __str__(self) -> str:
        """As the page shows it."""
        if self.aim:
            return self.aim
        return f"{'at most' if self.most else 'at least'} {self.bound:g}{spaced(self.unit)}"


def at_most(bound: float, unit: str = "", aim: str = "") -> Goal:
    """The largest value that is allowed."""
    return Goal(bound, True, unit, aim)


def at_least(bound: float, unit: str = "", aim: str = "") -> Goal:
    """The smallest value that is allowed."""
    return Goal(bound, False, unit, aim)


@dataclass(frozen=True)
class Figure:
    """A figure that EdgeOpt is held to.

    Args:
        key: Its name, in the files: lower case, parts apart by dots.
        what: What it says, in a line of Markdown.
        goal: Its bound; None where it is only reported.
        section: Which comparison finds it.
        command: What measures it again, from the repository's folder.
        kind: What stands behind it.
    """

    key: str
    what: str
    goal: Goal | None
    section: str
    command: str
    kind: Kind = Kind.MEASURED


@dataclass(frozen=True)
class Interval:
    """A ratio of paired times with its 95 % interval."""

    point: float
    low: float
    high: float

    def __str__(self) -> str:
        """``1.00 [0.99, 1.01]``."""
        return f"{self.point:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Finding:
    """What was reached.

    Args:
        key: The figure's.
        value: What is held against the goal; None where it couldn't be found.
        shown: The same as the page shows it, without the unit.
        peer: What the best of the peers reaches, or the one that the goal names.
        low: The interval's lower end, where there is one.
        high: Its upper end.
    """

    key: str
    value: float | None
    shown: str
    peer: str = ""
    low: float | None = None
    high: float | None = None

    def status(self, goal: Goal | None) -> Status:
        """Whether it reaches a goal."""
        if goal is None:
            return Status.NONE
        if self.value is None:
            return Status.MISSED
        if goal.holds(self.value):
            return Status.MET
        nearer = self.low if goal.most else self.high
        return Status.OPEN if nearer is not None and goal.holds(nearer) else Status.MISSED


def plain(key: str, value: float, digits: int, peer: str = "") -> Finding:
    """A finding without an interval; what is shown is what is held against the goal."""
    return Finding(key, round(value, digits), f"{value:.{digits}f}", peer)


def paired(key: str, found: Interval | None, peer: str = "") -> Finding:
    """A finding that is a ratio of paired times; None where one of the sides failed."""
    if found is None:
        return Finding(key, None, "failed", peer)
    return Finding(key, found.point, str(found), peer, found.low, found.high)


def spaced(unit: str) -> str:
    """A unit with what stands before it."""
    return f" {unit}" if unit and unit != "x" else unit
