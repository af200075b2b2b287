"""What people use today, on the same processes: a stored number, and a run that is judged by it.

The baseline's number is stored in one half of the pool, the candidate runs in the other, and the
other way round: two runs of one machine, half of the pool's time apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from pool import QUANTILES, Process, Timed
from scipy.stats import mannwhitneyu

SIGNIFICANT = 0.05
MORE = 1.05

Rule = Callable[[Timed, Timed], bool]


def median_of_five_percent(stored: Timed, now: Timed) -> bool:
    """Whether pytest-benchmark fails a run with ``--benchmark-compare-fail=median:5%``."""
    middle = QUANTILES.index(0.5)
    return now.quantiles[middle] > MORE * stored.quantiles[middle]


def mann_whitney(stored: Timed, now: Timed) -> bool:
    """Google Benchmark's ``compare.py``: the U test on repetitions, two-sided; and slower.

    A repetition is a block of calls, of which each process has 30; 9 or more are asked for.
    """
    slower = now.mean > stored.mean
    return slower and float(mannwhitneyu(stored.means, now.means).pvalue) < SIGNIFICANT


def mean_of_five_percent(stored: Timed, now: Timed) -> bool:
    """A fixed percentage on the mean, as ExecuTorch's dashboard has it."""
    return now.mean > MORE * stored.mean


RULES: dict[str, Rule] = {
    "pytest-benchmark, `median:5%`": median_of_five_percent,
    "Mann-Whitney on stored repetitions, p < 0.05": mann_whitney,
    "mean over a stored one by 5 %": mean_of_five_percent,
}


def failures(processes: Sequence[Process], arm: str, rule: Rule, runs: int) -> tuple[int, int]:
    """How many of how many comparisons fail.

    Args:
        processes: The pool's.
        arm: The candidate.
        rule: Whether one fails.
        runs: Processes that a side is given, whose figures are put together.
    """
    half = len(processes) // 2
    halves = processes[:half], processes[half : 2 * half]
    # Both ways round: whether the machine grew faster or slower meanwhile is chance.
    failed = [
        rule(*pair)
        for before, after in (halves, halves[::-1])
        for pair in zip(
            _together([process.arms["baseline"] for process in before], runs),
            _together([process.arms[arm] for process in after], runs),
            strict=True,
        )
    ]
    return sum(failed), len(failed)


def _together(sessions: Sequence[Timed], runs: int) -> list[Timed]:
    """Each so many sessions as one: all their blocks, and the median of each quantile."""
    groups = [sessions[i : i + runs] for i in range(0, len(sessions) - runs + 1, runs)]
    return [
        Timed(
            tuple(median(each) for each in zip(*(one.quantiles for one in group), strict=True)),
            tuple(low for one in group for low in one.low),
            tuple(mean for one in group for mean in one.means),
        )
        for group in groups
    ]
