"""A history's drift in words, and as a chart."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.benchmarks.gate.chain import Drift, Step
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.reports.mermaid import Line, lines

_BLUE = "#54aeff"
_GREY = "#6e7781"


def drift_lines(found: Drift) -> Iterator[str]:
    """How far it has come, then each step."""
    count = len(found.levels)
    compared = "1 comparison" if count == 1 else f"{count} comparisons"
    far = _percents(found.change)
    yield f"Over {compared} the latency has come to {far} beside the first baseline"
    if found.steps is None:
        yield "steps weren't looked for: pip install 'edgeopt[history]'"
    for step in found.steps or ():
        yield f"{_percents(step.change)} from {_name(step)} on"


def _percents(change: Interval) -> str:
    each = [100 * (x - 1) for x in (change.point, change.low, change.high)]
    return "{:+.1f}% [{:+.1f}, {:+.1f}]".format(*each)


def _name(step: Step) -> str:
    number = f"comparison {step.at + 1}"
    return f"{step.label} ({number})" if step.label else number


def drift_chart(found: Drift) -> str:
    """A chart of every comparison; "" where there is but one."""
    levels = [100 * (level - 1) for level in found.levels]
    if len(levels) < 2:
        return ""
    drawn = [Line(_GREY, [0.0] * len(levels)), Line(_BLUE, levels)]
    return lines("Slower than the first baseline", "comparison", "%", drawn)
