"""How far outputs are from their references, in sums that are kept from call to call."""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional

import numpy as np


class Distance:
    """Running sums of one output; the sums are float64.

    Args:
        output: Its name.
    """

    def __init__(self, output: str) -> None:
        self.output = output
        self.signal = self.noise = self.worst = 0.0
        self.rows = self.agreeing = 0
        self.scores = True

    def add(self, reference: np.ndarray, other: np.ndarray) -> None:
        """Take in one call's, of the same shape."""
        wide = reference.astype(np.float64)
        error = wide - other.astype(np.float64)
        self.signal += float(np.square(wide).sum())
        self.noise += float(np.square(error).sum())
        self.worst = max(self.worst, float(np.abs(error).max(initial=0.0)))
        self.scores = self.scores and reference.ndim == 2 and reference.shape[1] >= 2
        if self.scores:
            self.rows += len(reference)
            self.agreeing += int((reference.argmax(1) == other.argmax(1)).sum())

    def as_json(self) -> Dict[str, Any]:
        """The fields of ``manifest.OutputCheck``."""
        return {
            "output": self.output,
            "sqnr_db": decibels(self.signal, self.noise),
            "max_abs_error": min(self.worst, sys.float_info.max),  # JSON has no infinity
            "agreement": self.agreeing / self.rows if self.scores and self.rows else None,
        }


def decibels(signal: float, noise: float) -> Optional[float]:
    """``10 log10(signal / noise)``; None without noise, -999 where there is nothing but noise."""
    if noise == 0:
        return None
    if signal == 0 or not np.isfinite(noise):
        return -999.0
    return float(10 * np.log10(signal / noise))
