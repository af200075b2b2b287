"""From where on data is warned of, and from where on it fails."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeopt.benchmarks.gate.budgets import read_share
from edgeopt.calibration.stability import LARGE, MODERATE
from edgeopt.core.errors import UsageError
from edgeopt.pipeline.validation.records import Level


@dataclass(frozen=True)
class Limit:
    """The most that something may be.

    Args:
        fail: More than this fails.
        warn: More than this is warned of; no more than ``fail``.
    """

    fail: float
    warn: float = 0.0

    def level(self, value: float) -> Level:
        """What becomes of a value."""
        if value > self.fail:
            return Level.FAIL
        return Level.WARN if value > min(self.warn, self.fail) else Level.PASS


@dataclass(frozen=True)
class Limits:
    """What ``edgeopt validate data`` allows.

    Args:
        duplicates: The share of samples that are there more than once.
        overlap: The share of evaluation samples that are in the data too.
        blank: The share of samples that are one single value throughout.
        outside: The share of values beyond the reference's range.
        imbalance: How many times as frequent as the rarest class the most frequent one is.
        psi: The population stability index.
        samples: The fewest samples; ten times as many are enough.
    """

    duplicates: Limit
    overlap: Limit
    blank: Limit
    outside: Limit
    imbalance: Limit
    psi: Limit
    samples: int


ENOUGH = 10
"""Fewer than so many times the fewest samples are warned of."""


def read_limits(
    *,
    max_duplicates: str | float,
    max_overlap: str | float,
    max_blank: str | float,
    max_outside: str | float,
    max_imbalance: float,
    max_psi: float,
    min_samples: int,
) -> Limits:
    """The limits, as options give them.

    Raises:
        UsageError: If one can't be a limit.
    """
    return Limits(
        duplicates=Limit(read_share(max_duplicates, "--max-duplicates")),
        overlap=Limit(read_share(max_overlap, "--max-overlap")),
        blank=Limit(read_share(max_blank, "--max-blank")),
        outside=Limit(read_share(max_outside, "--max-outside"), 0.001),
        imbalance=Limit(_number(max_imbalance, 1, "--max-imbalance"), 10.0),
        psi=Limit(_number(max_psi, 0, "--max-psi"), MODERATE),
        samples=int(_number(min_samples, 1, "--min-samples")),
    )


DEFAULT_PSI = LARGE


def _number(value: float, least: float, option: str) -> float:
    if not least <= value < math.inf:
        raise UsageError(f"{option} is {value:g}", hint=f"use {least:g} or more")
    return value
