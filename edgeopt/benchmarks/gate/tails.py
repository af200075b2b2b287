"""The verdict on a tail, from all calls of all processes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeopt.benchmarks.device.statistics import MIN_COUNT, quantile
from edgeopt.benchmarks.gate.budgets import Tail
from edgeopt.benchmarks.gate.counts import tail
from edgeopt.benchmarks.gate.verdict import Check, Verdict


def tail_check(budget: Tail, baseline: Sequence[int], candidate: Sequence[int]) -> Check:
    """Whether no more of the candidate's calls are late than the quantile allows.

    Late is what takes longer than the baseline's own quantile and the slowdown that is allowed.

    Args:
        budget: Which tail, and how much slower it may be.
        baseline: The baseline's calls, both sessions' of them, in ns.
        candidate: The candidate's, in ns.
    """
    least = MIN_COUNT[budget.quantile]
    if min(len(baseline), len(candidate)) < least:
        return Check(
            name=budget.name, verdict=Verdict.INCONCLUSIVE, budget=budget.said, unit="ms",
            why=f"{min(len(baseline), len(candidate))} calls are too few: {least} are needed",
        )  # fmt: skip
    before, after = (quantile(side, budget.quantile) / 1e6 for side in (baseline, candidate))
    limit = before * (1 + budget.slowdown)
    late = int(np.count_nonzero(np.asarray(candidate) > limit * 1e6))
    verdict = tail(len(candidate), late, 1 - budget.quantile)
    said = f"{late:,} of {len(candidate):,} calls took longer than {limit:.3f} ms"
    return Check(
        name=budget.name, verdict=verdict, budget=budget.said,
        unit="ms", baseline=before, candidate=after,
        why="" if verdict is Verdict.PASS else said,
    )  # fmt: skip
