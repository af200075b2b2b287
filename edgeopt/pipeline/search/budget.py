"""What an artifact's accuracy must not fall below."""

from __future__ import annotations

import math

import msgspec

from edgeopt.core.record import Record


class Quality(Record, frozen=True):
    """How good an artifact is, on the samples it was judged on.

    Args:
        sqnr_db: Of the output that is farthest from float's, in dB; None if all are bit-identical.
        agreement: Share of samples whose first choice is float's; None where no output looks like
            class scores.
        accuracy: On the labels, 0 to 1; None where it wasn't asked for.
        drop: Float's accuracy minus this one's; None where it wasn't asked for.
    """

    sqnr_db: float | None
    agreement: float | None = None
    accuracy: float | None = None
    drop: float | None = None


class Budget(Record, frozen=True):
    """What must hold; None where nothing was asked.

    Args:
        max_drop: The most that accuracy may fall, as a share: 0.005 is half a percentage point.
        min_sqnr: The least SQNR, in dB.
        min_agreement: The least agreement with float, 0 to 1.
    """

    max_drop: float | None = None
    min_sqnr: float | None = None
    min_agreement: float | None = None

    def met(self, quality: Quality) -> bool:
        """Whether all that was asked holds."""
        return (
            _at_least(_negative(quality.drop), _negative(self.max_drop))
            and _at_least(_sqnr(quality), self.min_sqnr)
            and _at_least(quality.agreement, self.min_agreement)
        )

    def told(self, quality: Quality) -> str:
        """How a quality stands to what was asked: ``a drop of 0.80pp (at most 0.50pp)``."""
        parts = []
        if self.max_drop is not None and quality.drop is not None:
            parts.append(
                f"a drop of {100 * quality.drop:.2f}pp (at most {100 * self.max_drop:g}pp)"
            )
        if self.min_sqnr is not None:
            parts.append(f"{_sqnr(quality):.1f} dB (at least {self.min_sqnr:g})")
        if self.min_agreement is not None and quality.agreement is not None:
            parts.append(
                f"{quality.agreement:.2%} agreement (at least {100 * self.min_agreement:g}%)"
            )
        return ", ".join(parts)

    def rank(self, quality: Quality) -> tuple[float, ...]:
        """Greater for what comes closer to what was asked."""
        found = []
        if self.max_drop is not None:
            found.append(-math.inf if quality.drop is None else -quality.drop)
        if self.min_agreement is not None:
            found.append(-math.inf if quality.agreement is None else quality.agreement)
        return (*found, _sqnr(quality))

    def with_floor(self, sqnr: float) -> Budget:
        """The same, with an SQNR that holds where none was asked."""
        return self if self.min_sqnr is not None else msgspec.structs.replace(self, min_sqnr=sqnr)

    @property
    def empty(self) -> bool:
        """Whether nothing was asked."""
        return self == Budget()


def _sqnr(quality: Quality) -> float:
    return float("inf") if quality.sqnr_db is None else quality.sqnr_db


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _at_least(have: float | None, limit: float | None) -> bool:
    if limit is None:
        return True
    # A share of samples is a fraction whose last bit is no one's intention.
    return have is not None and have >= limit - 1e-12
