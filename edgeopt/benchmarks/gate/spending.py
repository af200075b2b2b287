"""When a comparison is looked at while it goes on, and how sure each look has to be.

Whoever looks at growing data until it says something, at 95 % each time, is wrong far more often
than one time in twenty. So the error that is allowed in all is spent over the looks, by the
Pocock-type spending function of Lan and DeMets (Biometrika 70, 1983): ``a ln(1 + (e - 1) t)`` has
been spent by the time ``t``. Each look gets what is added there and no credit for its likeness to
those before it: by Boole's inequality the sum holds whatever that likeness is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

FIRST = 5
"""Processes before the first look: an interval from fewer is hardly one."""

GROWTH = 1.4
"""From one look to the next."""

NEAR = 1.2
"""What is nearer to the last look than this is none."""

ERROR = 0.025
"""Of each of the two wrong verdicts, over all looks."""


def looks(cap: int) -> tuple[int, ...]:
    """The numbers of processes at which there is a look; the last one is ``cap``.

    Args:
        cap: The most processes; at least 2.
    """
    found, at = [], float(FIRST)
    while round(at) < cap:
        found.append(round(at))
        at *= GROWTH
    # One just before the last would spend error and find nothing new.
    if len(found) > 1 and found[-1] * NEAR > cap:
        found.pop()
    return (*found, cap)


def levels(at: Sequence[int], error: float = ERROR) -> tuple[float, ...]:
    """The one-sided error of each look; together ``error``.

    Args:
        at: The looks, as :func:`looks` gives them.
        error: The whole.
    """
    spent = [0.0, *(_spent(count / at[-1], error) for count in at)]
    return tuple(after - before for before, after in pairwise(spent))


def _spent(share: float, error: float) -> float:
    return error * math.log1p((math.e - 1) * share)
