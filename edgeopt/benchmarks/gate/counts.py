"""Verdicts on shares of counts: calls that are too slow, answers that got worse."""

from __future__ import annotations

import math

from edgeopt.benchmarks.gate.verdict import Verdict

CONFIDENCE = 0.99
"""Of the early-stopping rule, as MLPerf Inference has it."""

_NORMAL_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: two-sided intervals of 95 %."""


def tail(calls: int, late: int, share: float) -> Verdict:
    """Whether at most ``share`` of calls is late, by MLPerf's early-stopping counts.

    MLPerf Inference (inference_rules.adoc, "Early Stopping") accepts a tail latency when so few of
    the calls were late that a larger share of late ones can be excluded with 99 % confidence. The
    same confidence is asked for the contrary; in between nothing is said.

    Args:
        calls: How many there were.
        late: How many of them were late.
        share: Of late calls that is allowed: 0.01 for a 99th percentile.
    """
    if at_most(late, calls, share) <= 1 - CONFIDENCE:
        return Verdict.PASS
    if late and 1 - at_most(late - 1, calls, share) <= 1 - CONFIDENCE:
        return Verdict.REGRESSION
    return Verdict.INCONCLUSIVE


def at_most(count: int, calls: int, share: float) -> float:
    """``P(X <= count)`` for X of the binomial distribution with ``calls`` and ``share``."""
    if share >= 1:
        return float(count >= calls)
    logs = (
        math.lgamma(calls + 1) - math.lgamma(k + 1) - math.lgamma(calls - k + 1)
        + k * math.log(share) + (calls - k) * math.log1p(-share)
        for k in range(count + 1)
    )  # fmt: skip
    return min(1.0, math.fsum(map(math.exp, logs)))


def upper_bound(count: int, trials: int, confidence: float = 0.95) -> float:
    """The one-sided upper limit of a share, by Clopper and Pearson (Biometrika 26, 1934)."""
    if count >= trials:
        return 1.0
    low, high = count / trials, 1.0
    while low < (middle := (low + high) / 2) < high:
        below = at_most(count, trials, middle) > 1 - confidence
        low, high = (middle, high) if below else (low, middle)
    return high


def lower_bound(count: int, trials: int, confidence: float = 0.95) -> float:
    """The one-sided lower limit of a share, likewise."""
    return 1 - upper_bound(trials - count, trials, confidence)


def drop(lost: int, gained: int, samples: int) -> tuple[float, float, float]:
    """By how much a share fell, on the very same samples, with its 95 % interval.

    The adjusted Wald interval for matched pairs of Agresti and Min ("Simple improved confidence
    intervals for comparing matched proportions", Statistics in Medicine 24, 2005): half an answer
    is added to each of the four cells.

    Args:
        lost: Samples that only the baseline answered rightly.
        gained: Samples that only the candidate did.
        samples: All of them.

    Returns:
        The drop, its lower and its upper end, as shares.
    """
    worse, better, count = lost + 0.5, gained + 0.5, samples + 2
    centre = (worse - better) / count
    half = _NORMAL_95 * math.sqrt(worse + better - (worse - better) ** 2 / count) / count
    return (lost - gained) / samples, centre - half, centre + half
