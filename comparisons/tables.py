"""Tables and lists of commands for the page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from contenders import Contender, Task
from rounds import PLAIN, Timing


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    return [_line(head), _line(["---"] * len(head)), *map(_line, rows)]


def seconds_cells(timing: Timing) -> list[str]:
    """Rounds, seconds, times the plain process, and peak memory: medians."""
    if timing.failure:
        return ["failed", "-", "-", "-"]
    ratios = timing.ratios
    return [
        str(len(ratios)),
        f"{timing.median:.1f}",
        f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]",
        f"{timing.peak:.0f}",
    ]


SECONDS_HEAD = ("rounds", "s", "x plain", "peak MB")


def plain_row(timings: Mapping[str, Timing]) -> list[str]:
    """The same cells of the plain process itself."""
    seconds = [one for timing in timings.values() for one in timing.plain]
    middle = f"{statistics.median(seconds):.1f}" if seconds else "-"
    return [str(len(seconds)), middle, "1", "-"]


def failures(contenders: Iterable[Contender], timings: Mapping[str, Timing]) -> Iterator[str]:
    """A line for each side that failed, so that none is left out silently."""
    for contender in contenders:
        if failure := timings[contender.name].failure:
            yield f"- {contender.name} **failed**: {failure}"


def commands(task: Task, contenders: Iterable[Contender], theirs: Task | None = None) -> list[str]:
    """The command of each side, as a reader may repeat it; ``theirs``: what peers are given."""
    each = [PLAIN, *contenders]
    width = max(len(contender.name) for contender in each)
    given = {True: task, False: theirs or task}
    return ["```text", *(f"{c.name:{width}}  {c.shown(given[c.ours])}" for c in each), "```"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
