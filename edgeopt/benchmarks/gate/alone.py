"""Verdicts on what artifacts cost in processes of their own: memory, load time, size."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from edgeopt.benchmarks.device.statistics import LogRatio, ratio
from edgeopt.benchmarks.gate.budgets import Budgets, Limit
from edgeopt.benchmarks.gate.verdict import Check, Verdict
from edgeopt.benchmarks.messages import SoloAnswer
from edgeopt.benchmarks.paired import Subject, time_alone
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.process import Ask
from edgeopt.core.progress import Progress

ROUNDS = 5
"""Processes of each artifact, in turns: load times differ from one to the next."""

Both = tuple[list[SoloAnswer], list[SoloAnswer]]


def both_alone(subjects: Sequence[Subject], plan: Plan, progress: Progress, by: Ask) -> Both:
    """Load each artifact in fresh processes of its own, in turns.

    Args:
        subjects: The baseline and the candidate.
        plan: How.
        progress: Told after each round.
        by: Starts the processes.
    """
    found: Both = ([], [])
    for done in range(ROUNDS):
        progress("loading", done, ROUNDS)
        for side, subject in enumerate(subjects):
            found[side].append(time_alone(subject, plan, by))
    progress("loading", ROUNDS, ROUNDS)
    return found


def cost_checks(found: Both | None, sizes: tuple[int, int], budgets: Budgets) -> Iterator[Check]:
    """The verdicts on memory, load time and size, where something was asked.

    Args:
        found: What the processes answered; None where neither memory nor load was asked.
        sizes: Of the two files, in bytes.
        budgets: What was asked.
    """
    if budgets.size is not None:
        yield _exact("size", sizes, budgets.size)
    if found is not None and budgets.memory is not None:
        yield _memory(found, budgets.memory)
    if found is not None and budgets.load is not None:
        yield _load(found, budgets.load)


def _exact(name: str, sides: tuple[float, float], limit: Limit) -> Check:
    baseline, candidate = sides
    over = candidate > limit.most(baseline)
    return Check(
        name=name, verdict=Verdict.REGRESSION if over else Verdict.PASS, budget=limit.said,
        unit="bytes", baseline=baseline, candidate=candidate,
        why="it is larger than is allowed" if over else "",
    )  # fmt: skip


def _memory(found: Both, limit: Limit) -> Check:
    peaks = [
        [each.memory.peak_bytes.value for each in side if each.memory.peak_bytes.value is not None]
        for side in found
    ]
    if not all(peaks):
        why = found[0][0].memory.peak_bytes.absent or "it could not be read"
        return Check(
            name="memory", verdict=Verdict.INCONCLUSIVE, budget=limit.said, unit="bytes", why=why
        )
    return _exact("memory", (statistics.median(peaks[0]), statistics.median(peaks[1])), limit)


def _load(found: Both, limit: Limit) -> Check:
    baseline, candidate = ([each.load_ns / 1e6 for each in side] for side in found)
    middles = statistics.median(baseline), statistics.median(candidate)
    if limit.relative:
        logs = [math.log(c / b) for b, c in zip(baseline, candidate, strict=True)]
        most = 1 + limit.value
    else:
        logs, most = [math.log(c) for c in candidate], limit.value
    interval = ratio([LogRatio(each) for each in logs])
    verdict, why = Verdict.PASS, ""
    if interval["low"] > most:
        verdict, why = Verdict.REGRESSION, "it takes longer to load than is allowed"
    elif interval["high"] > most:
        verdict, why = Verdict.INCONCLUSIVE, "load times vary too much on this machine to tell"
    return Check(
        name="load", verdict=verdict, budget=limit.said,
        unit="ms", baseline=middles[0], candidate=middles[1], why=why,
    )  # fmt: skip
