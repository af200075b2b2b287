"""How much is done for int8's accuracy."""

from __future__ import annotations

from enum import StrEnum


class Effort(StrEnum):
    """``fast``: ranges only. ``default``: corrections too. ``high``: and rounding of weights."""

    FAST = "fast"
    DEFAULT = "default"
    HIGH = "high"

    @property
    def corrects(self) -> bool:
        """Whether biases are corrected and outlier channels smoothed."""
        return self is not Effort.FAST

    @property
    def rounds(self) -> bool:
        """Whether weights are rounded by what their layer's outputs become."""
        return self is Effort.HIGH
