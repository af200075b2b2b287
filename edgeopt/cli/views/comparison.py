"""What ``edgeopt compare`` found."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict
from edgeopt.cli.figures import ABSENT, milliseconds, percent, plural, size
from edgeopt.cli.tables import table

_COLUMNS = ("check", "verdict", "baseline", "candidate", "change", "allowed")


def draw_comparison(found: Comparison) -> str:
    """How it was measured, a table of the checks, and the verdict with its reasons."""
    parts = [
        _conditions(found),
        table(_COLUMNS, map(_row, found.checks), left=2),
        "".join(f"{line}\n" for line in _told(found)),
    ]
    return "\n".join(part for part in parts if part)


def _conditions(found: Comparison) -> str:
    machine = found.machine
    used = dict.fromkeys(
        f"{side.runtime.name} {side.runtime.version}" for side in (found.baseline, found.candidate)
    )
    calls = found.baseline.latency.count + found.candidate.latency.count
    return (
        f"{found.kind.value.capitalize()} on {machine.cpu.value or machine.architecture} with "
        f"{' and '.join(used)}, {plural(found.threads, 'thread')}, batch {found.batch}; "
        f"{plural(calls, 'call')} in {plural(found.processes, 'fresh process', 'es')}, "
        f"{found.seconds:.0f} s\n"
    )


def _row(check: Check) -> tuple[str, ...]:
    return (
        check.name,
        check.verdict.value,
        _figure(check.baseline, check.unit),
        _figure(check.candidate, check.unit),
        _change(check),
        check.budget,
    )


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ABSENT
    if unit == "bytes":
        return size(round(value))
    if unit == "share":
        return percent(value)
    return f"{milliseconds(value)} {unit}"


def _change(check: Check) -> str:
    if (change := check.change) is not None and check.unit == "share":
        points = [-100 * each for each in (change.point, change.high, change.low)]
        return "{:+.2f}pp [{:+.2f}, {:+.2f}]".format(*points)
    if change is not None:
        percents = [100 * (each - 1) for each in (change.point, change.low, change.high)]
        return "{:+.1f}% [{:+.1f}, {:+.1f}]".format(*percents)
    if check.baseline and check.candidate is not None:
        return f"{100 * (check.candidate / check.baseline - 1):+.1f}%"
    return ABSENT


def _told(found: Comparison) -> Iterator[str]:
    for check in found.checks:
        if check.verdict is not Verdict.PASS:
            yield f"{check.name}: {check.verdict.value}: {check.why}."
    yield from (f"The machine: {note}." for note in found.notes)
    copy = found.copy
    yield (
        f"A copy of the baseline came out at {100 * (copy.point - 1):+.1f}% "
        f"[{100 * (copy.low - 1):+.1f}, {100 * (copy.high - 1):+.1f}]; a slowdown of "
        f"{100 * (found.detectable - 1):.1f}% would have been found four times in five."
    )
    yield f"Verdict: {found.verdict.value.upper()}."
