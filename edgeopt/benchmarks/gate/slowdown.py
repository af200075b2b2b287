"""The verdict on latency, from what processes found of a baseline, its copy and a candidate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeopt.benchmarks.device.statistics import LogRatio, ratio, t_quantile
from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.result import Ratio

POWER = 0.8
"""How often the smallest slowdown that could have been seen would be."""


@dataclass(frozen=True)
class Process:
    """What one process found.

    Args:
        candidate: The candidate's time over the geometric mean of the baseline's two sessions. Two
            sessions of one file differ for a process's whole life, by where their memory lies;
            their mean halves the variance of that.
        copy: The copy's time over the baseline's: 1 on a perfect machine. The copy is the
            baseline's file, loaded a second time.
    """

    candidate: LogRatio
    copy: LogRatio


@dataclass(frozen=True)
class Look:
    """What is known after some processes.

    Args:
        ratio: The candidate's, with the interval of this look.
        copy: The copy's.
        verdict: None while it is open.
        detectable: The smallest slowdown that would be called a regression in :data:`POWER` of all
            cases, as a ratio.
    """

    ratio: Ratio
    copy: Ratio
    verdict: Verdict | None
    detectable: float


def look(processes: Sequence[Process], allowed: float, level: float) -> Look:
    """Judge what there is.

    A regression is one where even the lower end of the interval is slower than allowed, a pass one
    where even the upper end isn't; so each of the two is wrong with at most ``level``. The machine
    is unfit where the same rule would call the copy slower, or faster, than allowed.

    Args:
        processes: Two or more.
        allowed: The slowdown that is allowed, as a share: 0.03.
        level: One-sided error of this look.
    """
    confidence = 1 - 2 * level
    found = Ratio(**ratio([process.candidate for process in processes], confidence))
    copy = Ratio(**ratio([process.copy for process in processes], confidence))
    return Look(found, copy, _verdict(found, copy, allowed), _detectable(found, allowed))


def _verdict(found: Ratio, copy: Ratio, allowed: float) -> Verdict | None:
    most = 1 + allowed
    if copy.low > most or copy.high < 1 / most:
        return Verdict.UNFIT
    if found.low > most:
        return Verdict.REGRESSION
    return Verdict.PASS if found.high < most else None


def _detectable(found: Ratio, allowed: float) -> float:
    freedom = found.processes - 1
    half = math.log(found.high / found.low) / 2
    reach = 1 + t_quantile(2 * POWER - 1, freedom) / t_quantile(found.confidence, freedom)
    return math.exp(math.log1p(allowed) + reach * half)
