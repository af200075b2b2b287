"""The statistics that figures and verdicts rest on; pure functions, each with its source."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

MIN_COUNT = {0.90: 64, 0.99: 662}
"""Samples a tail quantile needs: MLPerf Inference's early-stopping rule (mlcommons/
inference_policies, inference_rules.adoc, "Early Stopping": 99 % confidence, no overlatency)."""

LOW_QUANTILE = 0.10
"""The quantile that a block's calls are summed up by: noise only adds time, so a low one moves
least."""


def quantile(samples: Any, q: float) -> float:
    """The ``q`` quantile, linear between order statistics.

    Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50 (1996): the one R and numpy default to. It isn't named here, since numpy has
    changed the argument's name.
    """
    return float(np.quantile(np.asarray(samples, dtype=np.float64), q))


def tail_quantile(samples: Any, q: float) -> Optional[float]:
    """The ``q`` quantile, or None where there are fewer than :data:`MIN_COUNT` samples."""
    return quantile(samples, q) if len(samples) >= MIN_COUNT[q] else None


def latency(processes: Sequence[Sequence[int]]) -> Dict[str, Any]:
    """Summarize an artifact's calls: the fields of ``result.Latency``, in ms.

    Args:
        processes: For each process, the time of each call in ns.
    """
    ms = np.concatenate([np.asarray(ns, dtype=np.float64) for ns in processes]) / 1e6
    return {
        "count": len(ms),
        "mean": float(ms.mean()),
        "stdev": float(ms.std(ddof=1)) if len(ms) > 1 else 0.0,
        "min": float(ms.min()),
        "max": float(ms.max()),
        "q10": quantile(ms, LOW_QUANTILE),
        "p50": quantile(ms, 0.50),
        "p90": tail_quantile(ms, 0.90),
        "p99": tail_quantile(ms, 0.99),
        "process_q10": [quantile(ns, LOW_QUANTILE) / 1e6 for ns in processes],
    }


NORMAL_MAD = 1.4826
"""The standard deviation of normal values over the median of their distances from their median."""

MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""The standard error of normal values' median over that of their mean."""


def low(ns: Sequence[int]) -> int:
    """What a block of calls is summed up by: of up to 10 calls the fastest, of more the 10 %.

    An order statistic and not interpolated: in a block of few calls the second fastest may have
    been interrupted already.
    """
    return sorted(ns)[int(LOW_QUANTILE * (len(ns) - 1))]


class LogRatio(NamedTuple):
    """How much longer one artifact takes than another, as one process saw it.

    Args:
        value: ``ln`` of the ratio.
        error: Its standard error as far as it can be seen within the process; 0 if it can't.
    """

    value: float
    error: float = 0.0


def log_ratio(candidate: Sequence[Sequence[int]], *baselines: Sequence[Sequence[int]]) -> LogRatio:
    """How much longer one artifact takes than another, in one process.

    The median over rounds of each round's own log-ratio. A shared machine's speed changes by half
    for seconds on end; a quantile of all calls then says which artifact had more of its calls in
    the fast seconds, where the artifacts' blocks of one round have nearly always met the same. In
    comparisons/gate it spreads half to three quarters as far from process to process as the ratio
    of 10th percentiles of all calls.

    Args:
        candidate: In each round, its calls' times in ns.
        baselines: The baseline's in the same rounds; of several sessions of it the geometric mean
            is taken.
    """
    blocks = [[math.log(low(block)) for block in session] for session in (candidate, *baselines)]
    rounds = [now - math.fsum(others) / len(others) for now, *others in zip(*blocks)]
    middle = float(np.median(rounds))
    deviation = NORMAL_MAD * float(np.median(np.abs(np.asarray(rounds) - middle)))
    return LogRatio(middle, MEDIAN_ERROR * deviation / math.sqrt(len(rounds)))


def log_ratios(baseline: Sequence[float], candidate: Sequence[float]) -> List[LogRatio]:
    """For each process, ``ln(candidate / baseline)``, where single calls aren't known.

    Args:
        baseline: The baseline's typical time in each process, in any unit.
        candidate: The candidate's in the same processes.
    """
    return [LogRatio(math.log(c / b)) for b, c in zip(baseline, candidate)]


def ratio(logs: Sequence[LogRatio], confidence: float = 0.95) -> Dict[str, Any]:
    """The ratio and its interval, the process being the unit: the fields of ``result.Ratio``.

    Student's interval for the mean of the per-process log-ratios, back on the ratio's scale: what
    differs between processes (where memory lies, which session came first) is seen by it, where an
    interval from the calls within one process is blind to it.

    A process in which the machine's speed jumped from round to round knows less than others, and
    says so by its own error; it counts for less. The interval is that of Hartung and Knapp ("A
    refined method for the meta-analysis of controlled clinical trials with binary outcome",
    Statistics in Medicine 20, 2001): its variance comes from how far processes differ, not from
    what they say of themselves, so only the weights rest on that.

    Args:
        logs: One log-ratio a process; two or more.
        confidence: Of the two-sided interval.
    """
    count, weights = len(logs), _weights(logs)
    mean = math.fsum(w * x.value for w, x in zip(weights, logs))
    variance = math.fsum(w * (x.value - mean) ** 2 for w, x in zip(weights, logs)) / (count - 1)
    half = t_quantile(confidence, count - 1) * math.sqrt(variance)
    return {
        "point": math.exp(mean),
        "low": math.exp(mean - half),
        "high": math.exp(mean + half),
        "confidence": confidence,
        "processes": count,
    }


def _weights(logs: Sequence[LogRatio]) -> List[float]:
    """By the inverse of each one's variance, and as much again for what it can't see of itself.

    That much is the median of the variances; so no process counts for more than twice its share.
    """
    variances = [x.error**2 for x in logs]
    unseen = float(np.median(variances))
    raw = [1 / (each + unseen) if unseen else 1.0 for each in variances]
    return [each / math.fsum(raw) for each in raw]


@lru_cache(maxsize=None)
def t_quantile(confidence: float, freedom: int) -> float:
    """The ``t`` for which ``P(|T| <= t) = confidence`` under Student's distribution.

    Found by bisection over ``theta = arctan(t / sqrt(freedom))``, in which the probability is a
    finite sum: see :func:`t_probability`.

    Args:
        confidence: In (0, 1).
        freedom: Degrees of freedom, 1 or more.
    """
    low, high = 0.0, math.pi / 2
    while low < (theta := (low + high) / 2) < high:
        below = _probability(theta, freedom) < confidence
        low, high = (theta, high) if below else (low, theta)
    return math.sqrt(freedom) * math.tan(theta)


def t_probability(t: float, freedom: int) -> float:
    """``P(|T| <= t)`` under Student's distribution with ``freedom`` degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 (odd) and 26.7.4 (even): exact
    for whole degrees of freedom, so that no scipy is needed.
    """
    return _probability(math.atan(t / math.sqrt(freedom)), freedom)


def _probability(theta: float, freedom: int) -> float:
    # sin(theta) * sum of c_e cos(theta)^e, e = parity, parity + 2, ..., freedom - 2, where
    # c_(e+2) = c_e (e + 1) / (e + 2); odd degrees of freedom add theta and take 2/pi of it all.
    odd = freedom % 2
    cosine = math.cos(theta)
    term = total = cosine**odd if freedom > 1 else 0.0
    for exponent in range(odd, freedom - 3, 2):
        term *= (exponent + 1) / (exponent + 2) * cosine**2
        total += term
    if odd:
        return 2 / math.pi * (theta + math.sin(theta) * total)
    return math.sin(theta) * total
