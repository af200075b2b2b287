"""The tables of the documentation's page on error rates."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ours import duels, verdicts
from pool import ARMS, Process
from rivals import RULES, failures
from spread import ESTIMATORS, log_ratios, spread

from edgeopt.benchmarks.device.statistics import ratio
from edgeopt.benchmarks.gate.counts import lower_bound, upper_bound

CANDIDATES = ARMS[2:]

VERDICTS = ("pass", "regression", "inconclusive", "unfit")

STRETCH = 40
"""Processes in which a ratio is known to about 0.15 %: about two minutes."""


@dataclass(frozen=True)
class Pool:
    """A condition's processes.

    Args:
        condition: Its name.
        tuning: Those that the estimator was chosen on.
        held_out: Those that verdicts are counted on.
    """

    condition: str
    tuning: Sequence[Process]
    held_out: Sequence[Process]


def truth(pool: Pool, arm: str) -> tuple[float, float, float]:
    """How much slower an arm really is: the ratio over all held-out processes, and its interval."""
    logs = log_ratios(pool.held_out, arm)
    found = ratio(logs)
    return found["point"], found["low"], found["high"]


def stretches(pool: Pool, arm: str) -> tuple[float, float]:
    """Between what an arm's ratio moves, over stretches of :data:`STRETCH` processes."""
    logs = log_ratios(pool.held_out, arm)
    starts = range(0, len(logs) - STRETCH + 1, STRETCH)
    found = [ratio(logs[start : start + STRETCH])["point"] for start in starts]
    return min(found, default=math.nan), max(found, default=math.nan)


def counted(pools: Sequence[Pool]) -> Iterator[str]:
    """Our gate's verdicts by condition and candidate, each beside its goal."""
    yield (
        "| | candidate | truly slower by | moving between | verdicts | pass | regression | open "
        "| unfit | processes each | bound (95 %) | goal |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for pool in pools:
        for arm in CANDIDATES:
            yield _counted(pool, arm)


@dataclass(frozen=True)
class Count:
    """How often each verdict was given on a candidate.

    Args:
        condition: The pool's.
        arm: The candidate.
        given: By verdict.
        processes: That a verdict took, the mean.
        bound: Clopper and Pearson's, one-sided, 95 %, as a share: the upper one of false alarms, or
            the lower one of slowdowns that were found.
    """

    condition: str
    arm: str
    given: dict[str, int]
    processes: float
    bound: float

    @property
    def verdicts(self) -> int:
        """How many there are."""
        return sum(self.given.values())

    @property
    def slower(self) -> bool:
        """Whether it is a regression indeed."""
        return self.arm.startswith("slower")


def count(pool: Pool, arm: str) -> Count:
    """Give all the verdicts that the processes are enough for."""
    found = duels(pool.held_out, arm)
    given = {name: verdicts(found)[name] for name in VERDICTS}
    each = statistics.fmean(len(duel.answers) for duel in found) if found else math.nan
    bound = lower_bound if arm.startswith("slower") else upper_bound
    return Count(pool.condition, arm, given, each, bound(given["regression"], len(found)))


def _counted(pool: Pool, arm: str) -> str:
    found = count(pool, arm)
    point, low, high = (100 * (each - 1) for each in truth(pool, arm))
    least, most = (100 * (each - 1) for each in stretches(pool, arm))
    figures = " | ".join(str(found.given[name]) for name in VERDICTS)
    return (
        f"| {pool.condition} | {arm} | {point:+.2f} % [{low:+.2f}, {high:+.2f}] | "
        f"{least:+.1f} and {most:+.1f} % | {found.verdicts} | "
        f"{figures} | {found.processes:.1f} | {' | '.join(_bound(found))} |"
    )


def _bound(found: Count) -> tuple[str, str]:
    if not found.slower:
        return f"false alarms <= {100 * found.bound:.2f} %", "<= 2 %"
    least = {"slower 5%": (80, 95), "slower 10%": (95, 97)}[found.arm][found.condition == "quiet"]
    return f"found >= {100 * found.bound:.1f} %", f">= {least} %"


def rivals(pools: Sequence[Pool]) -> Iterator[dict[str, object]]:
    """What others' gates fail of the same processes, one process a side: shares from 0 to 1."""
    for pool in pools:
        for arm in CANDIDATES:
            found = {name: failures(pool.held_out, arm, rule, 1) for name, rule in RULES.items()}
            shares = {name: failed / of if of else math.nan for name, (failed, of) in found.items()}
            yield {"condition": pool.condition, "arm": arm, "shares": shares}


def beside(pools: Sequence[Pool]) -> Iterator[str]:
    """What others' gates say of the same processes."""
    heads = [f"{pool.condition}: {arm}" for pool in pools for arm in CANDIDATES]
    yield f"| gate | {' | '.join(heads)} |"
    yield f"|---|{'--:|' * len(heads)}"
    shares = [_share(pool, arm) for pool in pools for arm in CANDIDATES]
    yield f"| **EdgeOpt**, 3 % | {' | '.join(shares)} |"
    for name, rule in RULES.items():
        for runs, told in ((1, "1 process"), (5, "5 processes")):
            found = [
                failures(pool.held_out, arm, rule, runs) for pool in pools for arm in CANDIDATES
            ]
            yield f"| {name}, {told} a side | {' | '.join(_percent(*each) for each in found)} |"


def _share(pool: Pool, arm: str) -> str:
    found = duels(pool.held_out, arm)
    return _percent(verdicts(found)["regression"], len(found))


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.0f} %" if of else "-"


def spreads(pools: Sequence[Pool]) -> Iterator[str]:
    """What the estimator was chosen by."""
    arms = [(pool, arm) for pool in pools for arm in CANDIDATES]
    yield f"| of each session | {' | '.join(f'{p.condition}: {arm}' for p, arm in arms)} |"
    yield f"|---|{'--:|' * len(arms)}"
    for name, of in ESTIMATORS.items():
        for both in (False, True):
            row = [f"{100 * spread(p.tuning, arm, of, both=both):.2f}" for p, arm in arms]
            sides = "beside both baselines" if both else "beside one baseline"
            yield f"| {name}, {sides} | {' | '.join(row)} |"
