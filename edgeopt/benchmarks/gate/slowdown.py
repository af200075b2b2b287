"""The verdict on latency, from what processes found of a baseline, its copy and a candidate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeopt.benchmarks.device.statistics import ratio, t_quantile
from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.result import Ratio

POWER = 0.8
"""How often the smallest slowdown that could have been seen would be."""


@dataclass(frozen=True)
class Process:
    """What one process found.

    Args:
        log_ratio: ``ln`` of the candidate's time over the geometric mean of the baseline's two
            sessions. Two sessions of one file differ for a process's whole life, by where their
            memory lies; their mean halves the variance of that.
        log_copy: ``ln`` of the copy's time over the baseline's: 0 on a perfect machine. The copy is
            the baseline's file, loaded a second time.
    """

    log_ratio: float
    log_copy: float


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
    logs = [process.log_ratio for process in processes]
    found = Ratio(**ratio(logs, confidence))
    copy = Ratio(**ratio([process.log_copy for process in processes], confidence))
    return Look(found, copy, _verdict(found, copy, allowed), _detectable(logs, allowed, confidence))


def _verdict(found: Ratio, copy: Ratio, allowed: float) -> Verdict | None:
    most = 1 + allowed
    if copy.low > most or copy.high < 1 / most:
        return Verdict.UNFIT
    if found.low > most:
        return Verdict.REGRESSION
    return Verdict.PASS if found.high < most else None


def _detectable(logs: Sequence[float], allowed: float, confidence: float) -> float:
    freedom = len(logs) - 1
    mean = math.fsum(logs) / len(logs)
    error = math.sqrt(math.fsum((x - mean) ** 2 for x in logs) / freedom / len(logs))
    reach = t_quantile(confidence, freedom) + t_quantile(2 * POWER - 1, freedom)
    return math.exp(math.log1p(allowed) + reach * error)
