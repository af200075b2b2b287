"""How far each estimator's ratio spreads from process to process: what the estimator is chosen by.

On the processes of ``pool.tuning``, which no verdict is counted on.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from pool import QUANTILES, Process, Timed

from edgeopt.benchmarks.device.statistics import LogRatio, log_ratio

Estimator = Callable[[Timed, Sequence[Timed]], LogRatio]
"""How much longer the first takes than the others, the baseline's sessions."""


def by_rounds(candidate: Timed, baselines: Sequence[Timed]) -> LogRatio:
    """The gate's own: the median over rounds."""
    return log_ratio(*([(each,) for each in session.low] for session in (candidate, *baselines)))


def by_all_calls(index: int, candidate: Timed, baselines: Sequence[Timed]) -> LogRatio:
    """The ratio of a quantile of all calls: :data:`QUANTILES`'s ``index``."""
    logs = np.log([session.quantiles[index] for session in (candidate, *baselines)])
    return LogRatio(float(logs[0] - logs[1:].mean()))


def by_means(candidate: Timed, baselines: Sequence[Timed]) -> LogRatio:
    """The ratio of the means of all calls."""
    logs = np.log([session.mean for session in (candidate, *baselines)])
    return LogRatio(float(logs[0] - logs[1:].mean()))


ESTIMATORS: dict[str, Estimator] = {
    "median over rounds of the blocks' low quantile": by_rounds,
    **{f"q{100 * q:.0f} of all calls": partial(by_all_calls, i) for i, q in enumerate(QUANTILES)},
    "mean of all calls": by_means,
}
CHOSEN = by_rounds


def log_ratios(
    processes: Sequence[Process], arm: str, of: Estimator = CHOSEN, *, both: bool = True
) -> list[LogRatio]:
    """Of each process.

    Args:
        processes: The pool's.
        arm: The candidate.
        of: The estimator.
        both: Beside the baseline and its copy; beside the baseline alone if not.
    """
    names = ("baseline", "copy") if both else ("baseline",)
    return [of(each.arms[arm], [each.arms[name] for name in names]) for each in processes]


def spread(processes: Sequence[Process], arm: str, of: Estimator, *, both: bool) -> float:
    """The standard deviation of the log-ratio, as a share."""
    return statistics.stdev(each.value for each in log_ratios(processes, arm, of, both=both))
