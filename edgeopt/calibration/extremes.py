"""Noticing the one sample whose input is absurd: it would decide every range by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeopt.calibration.histogram import LARGEST
from edgeopt.core.errors import DataError
from edgeopt.data import Sample

FACTOR = 1000.0
"""How far beyond the median sample's largest value a single one's is an error, not data."""


@dataclass
class InputExtremes:
    """The largest absolute value of each input in each sample.

    Args:
        names: The inputs to look at.
    """

    names: Sequence[str]
    _largest: dict[str, list[float]] = field(default_factory=dict)
    _beyond: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        """Take in one sample."""
        for name in self.names:
            array = sample.inputs[name]
            largest = float(max(-array.min(initial=0.0), array.max(initial=0.0)))
            seen = self._largest.setdefault(name, [])
            if largest > LARGEST:
                self._beyond.append((name, len(seen), sample.origin))
            seen.append(largest)

    def check(self) -> None:
        """Look back at all of them.

        Raises:
            DataError: If a few samples lie beyond what float16 holds and far from the others.
        """
        for name, place, origin in self._beyond:
            value, usual = self._largest[name][place], float(np.median(self._largest[name]))
            if value > FACTOR * usual:
                raise DataError(
                    f"{origin}: input {name!r} reaches {value:.3g}, where other samples reach "
                    f"{usual:.3g}",
                    hint="mend it or leave it out: one such value would spoil every range",
                )
