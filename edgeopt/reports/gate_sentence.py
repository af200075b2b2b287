"""A comparison in one sentence: what a reviewer reads before anything else."""

from __future__ import annotations

from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict
from edgeopt.reports.checks import ABSENT, change, figure


def sentence(found: Comparison) -> str:
    """The check that decided, with its figures; others that came out as badly are named."""
    alike = [check for check in found.checks if check.verdict is found.verdict]
    if found.verdict is Verdict.PASS or not alike:
        return _told(found.checks[0], found)
    others = ", ".join(check.name for check in alike[1:])
    also = f" The same holds of: {others}." if others else ""
    return _told(alike[0], found) + also


def _told(check: Check, found: Comparison) -> str:
    if check.verdict is Verdict.UNFIT:
        return f"The machine can't tell: {check.why}."
    if check.name == "latency" and check.change is not None:
        return _latency(check, found)
    figures = [figure(check.baseline, check.unit), change(check)]
    known = ", ".join(each for each in figures if each != ABSENT)
    beside = f" (baseline {known})" if check.baseline is not None else ""
    open_ = f": {check.why}" if check.verdict is Verdict.INCONCLUSIVE else ""
    figured = figure(check.candidate, check.unit)
    return f"The {check.name} is {figured}{beside}; the budget is {check.budget}{open_}."


def _latency(check: Check, found: Comparison) -> str:
    assert check.change is not None
    change = check.change
    point, low, high = (100 * (ratio - 1) for ratio in (change.point, change.low, change.high))
    told = (
        f"{found.candidate.artifact} takes {abs(point):.1f}% {'more' if point >= 0 else 'less'} "
        f"time than {found.baseline.artifact} (from {low:+.1f}% to {high:+.1f}%)"
    )
    if check.verdict is Verdict.INCONCLUSIVE:
        return f"{told}, and {check.budget} more is allowed: {check.why}."
    return f"{told}; {check.budget} more is allowed."
