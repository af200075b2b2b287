"""What ``edgeopt compare`` found."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.cli.figures import plural
from edgeopt.cli.tables import table
from edgeopt.reports.checks import COLUMNS, cells, machine, runtimes, sources
from edgeopt.reports.drift import drift_lines


def draw_comparison(found: Comparison) -> str:
    """How it was measured, a table of the checks, and the verdict with its reasons."""
    parts = [
        _conditions(found),
        table(COLUMNS, map(cells, found.checks), left=2),
        "".join(f"{line}\n" for line in _told(found)),
    ]
    return "\n".join(part for part in parts if part)


def _conditions(found: Comparison) -> str:
    calls = found.baseline.latency.count + found.candidate.latency.count
    return (
        f"{found.kind.value.capitalize()} on {machine(found)} with "
        f"{runtimes(found)}, {plural(found.threads, 'thread')}, batch {found.batch}; "
        f"{plural(calls, 'call')} in {plural(found.processes, 'fresh process', 'es')}, "
        f"{found.seconds:.0f} s\n"
    )


def _told(found: Comparison) -> Iterator[str]:
    for check in found.checks:
        if check.verdict is not Verdict.PASS:
            yield f"{check.name}: {check.verdict.value}: {check.why}."
    yield from (f"The machine: {note}." for note in found.notes)
    if told := sources(found):
        yield told
    copy = found.copy
    yield (
        f"A copy of the baseline came out at {100 * (copy.point - 1):+.1f}% "
        f"[{100 * (copy.low - 1):+.1f}, {100 * (copy.high - 1):+.1f}]; a slowdown of "
        f"{100 * (found.detectable - 1):.1f}% would have been found four times in five."
    )
    if found.drift is not None:
        yield f"{'; '.join(drift_lines(found.drift))}."
    yield f"Verdict: {found.verdict.value.upper()}."
