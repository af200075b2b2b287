"""An estimate and how far it can be trusted."""

from __future__ import annotations

from edgeopt.core.record import Record


class Interval(Record, frozen=True):
    """A change and what can be told of it.

    Args:
        point: The estimate.
        low: Lower end.
        high: Upper end.
    """

    point: float
    low: float
    high: float
