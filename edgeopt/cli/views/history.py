"""What ``edgeopt history`` tells."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.benchmarks.history.entry import Entry
from edgeopt.cli.tables import table
from edgeopt.pipeline.history import History
from edgeopt.reports.drift import drift_lines

_COLUMNS = ("when", "what", "target", "candidate", "verdict", "latency", "change")


def draw_history(found: History) -> str:
    """A line for each comparison, then what they add up to."""
    rows = table(_COLUMNS, map(_row, found.entries), left=5)
    return rows + "".join(f"\n{line}" for line in _told(found))


def _told(found: History) -> Iterator[str]:
    if found.drift is None:
        yield "The machine was unfit each time: nothing adds up.\n"
        return
    yield "; ".join(drift_lines(found.drift)) + ".\n"


def _row(entry: Entry) -> tuple[str, ...]:
    ratio = entry.ratio
    change = [100 * (each - 1) for each in (ratio.point, ratio.low, ratio.high)]
    latency = entry.candidate.q10_ms
    return (
        entry.at,
        entry.label,
        entry.target,
        entry.candidate.artifact,
        entry.verdict.value,
        "" if latency is None else f"{latency:.3g} ms",
        "{:+.1f}% [{:+.1f}, {:+.1f}]".format(*change),
    )
