"""How far outputs are from their references, in sums that are kept from call to call."""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional, Tuple

import numpy as np

ONLY_NOISE = -999.0
"""Stands for the decibels of an output without any signal in it: JSON has no infinity."""


class Distance:
    """Running sums of one output; the sums are float64.

    Where both hold the same infinity or NaN, as masked scores do, they don't differ, and say
    nothing of how large the others are.

    Args:
        output: Its name.
        scores: False where it can't be class scores, whatever its shape.
    """

    def __init__(self, output: str, scores: bool = True) -> None:
        self.output = output
        self.signal = self.noise = self.worst = 0.0
        self.rows = self.agreeing = 0
        self.scores = scores

    def add(self, reference: np.ndarray, other: np.ndarray) -> None:
        """Take in one call's, of the same shape."""
        wide, error = differences(reference, other)
        self.signal += float(np.square(wide).sum())
        self.noise += float(np.square(error).sum())
        worst = float(np.abs(error).max(initial=0.0))
        self.worst = max(self.worst, np.inf if np.isnan(worst) else worst)
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


def differences(reference: np.ndarray, other: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The reference and ``reference - other`` as float64, 0 where both are equally not finite."""
    wide, others = reference.astype(np.float64), other.astype(np.float64)
    if np.isfinite(wide).all():
        return wide, wide - others
    alike = ~np.isfinite(wide) & ((wide == others) | (np.isnan(wide) & np.isnan(others)))
    wide, others = np.where(alike, 0.0, wide), np.where(alike, 0.0, others)
    return wide, wide - others


def decibels(signal: float, noise: float) -> Optional[float]:
    """``10 log10(signal / noise)``; None without noise, -999 where there is nothing but noise."""
    if noise == 0:
        return None
    if signal == 0 or not np.isfinite(noise):
        return ONLY_NOISE
    return float(10 * np.log10(signal / noise))
