"""Axes: from values to places in a drawing, and where the ticks are."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Args:
        low: The value at ``start``.
        high: The value at ``stop``.
        start: A place in the drawing, in its units.
        stop: Another; left of or above ``start`` for one that runs backwards.
    """

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """The place of a value; one beyond the axis is put at its end.

        >>> Axis(0, 50, 200, 0).at(25), Axis(0, 50, 200, 0).at(60)
        (100.0, 0.0)
        """
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.0
        place = self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start)
        return round(place, 2) + 0.0

    def ticks(self, about: int = 5) -> tuple[float, ...]:
        """Round values along the axis, about so many.

        >>> Axis(0, 47, 0, 1).ticks()
        (0.0, 10.0, 20.0, 30.0, 40.0)
        """
        span = self.high - self.low
        if span <= 0:
            return (self.low,)
        power = 10.0 ** math.floor(math.log10(span / about))
        step = next(s * power for s in (1, 2, 5, 10) if span / (s * power) <= about)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return tuple(round(i * step, 12) + 0.0 for i in range(first, last + 1))
