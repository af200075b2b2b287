"""What people use today, on the same processes: a stored number, and a run that is judged by it.

The baseline's number is stored in one half of the pool, the candidate runs in the other: two runs
of one machine that are an hour or so apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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

    A repetition is a block of calls, of which each process has 30; it asks for 9 or more.
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


def failures(processes: Sequence[Process], arm: str, rule: Rule) -> tuple[int, int]:
    """How many of how many runs fail.

    Args:
        processes: The pool's.
        arm: The candidate.
        rule: Whether it fails.
    """
    half = len(processes) // 2
    stored, runs = processes[:half], processes[half : 2 * half]
    failed = [
        rule(before.arms["baseline"], now.arms[arm])
        for before, now in zip(stored, runs, strict=True)
    ]
    return sum(failed), len(failed)
