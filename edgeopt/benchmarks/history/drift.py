"""Where a chain of comparisons stepped up or down, and how far it has come in all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from edgeopt.benchmarks.gate.chain import Drift, Step
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.benchmarks.history.levels import Point

LEAST = 4
"""Comparisons in which a step could be found: two before it and two after."""

FALSE = 0.05
"""How often a history in which nothing changes may have a step."""

PENALTY = 3.0
"""Of a step, times ``ln n``, in units of the noise's variance. On noise alone it finds a step in 4
of 100 histories of 10 comparisons and in fewer than 1 of those of 100; one of twice the noise's
standard deviation is found four times in five from 10 comparisons on."""

Weights = npt.NDArray[np.float64]


def drift(points: Sequence[Point]) -> Drift:
    """Find the steps of a chain.

    Args:
        points: The chain, 1 or more.
    """
    parts = _parts(points)
    # Where no parts are known, the last comparison alone is what the end is like.
    end = parts[-1] if parts else (len(points) - 1, len(points))
    return Drift(
        labels=tuple(point.entry.label for point in points),
        levels=tuple(math.exp(point.level) for point in points),
        steps=None if parts is None else tuple(_steps(points, parts)),
        change=_change(points, _mean_of(end, len(points)), 0.05),
    )


def _parts(points: Sequence[Point]) -> list[tuple[int, int]] | None:
    """Between which comparisons nothing changed: none if they are too few, None if unknown."""
    try:
        import ruptures
    except ImportError:
        return None
    if len(points) < LEAST:
        return []
    noise = float(np.median([point.error for point in points])) or 1e-4
    scaled = np.array([[point.level / noise] for point in points])
    search = ruptures.KernelCPD(kernel="linear", min_size=2).fit(scaled)
    return [*pairwise([0, *map(int, search.predict(pen=PENALTY * math.log(len(points))))])]


def _steps(points: Sequence[Point], parts: Sequence[tuple[int, int]]) -> Iterator[Step]:
    """Those of the search's that are beyond what the comparisons know of themselves.

    The search takes the levels for independent, which those that hang on one baseline aren't: they
    err together, and wander. And of all places it picks the likeliest, so each step has to stand
    Bonferroni's test.
    """
    for before, after in pairwise(parts):
        weights = _mean_of(after, len(points)) - _mean_of(before, len(points))
        change = _change(points, weights, FALSE / (len(points) - 1))
        if not change.low <= 1 <= change.high:
            yield Step(at=after[0], label=points[after[0]].entry.label, change=change)


def _mean_of(part: tuple[int, int], count: int) -> Weights:
    """The weights that make the mean of some of ``count`` comparisons."""
    weights = np.zeros(count)
    weights[slice(*part)] = 1 / (part[1] - part[0])
    return weights


def _change(points: Sequence[Point], weights: Weights, error: float) -> Interval:
    """A weighted sum of levels as a ratio, with the interval that errs so often."""
    log = float(weights @ np.array([point.level for point in points]))
    half = NormalDist().inv_cdf(1 - error / 2) * math.sqrt(weights @ _covariance(points) @ weights)
    return Interval(math.exp(log), math.exp(log - half), math.exp(log + half))


def _covariance(points: Sequence[Point]) -> Weights:
    """Of the levels: two err together as far as they hang on the same comparisons.

    A later one hangs on all of an earlier one if that became its baseline, by some steps or none,
    and else on what both baselines hang on: that is the less of what it hangs on at all and of what
    the earlier one is known by.
    """
    linked = np.array([point.before for point in points])
    whole = linked + np.array([point.error for point in points]) ** 2
    shared = np.minimum.outer(whole, linked)
    upper = np.triu(shared, 1)
    covariance: Weights = upper + upper.T + np.diag(whole)
    return covariance
