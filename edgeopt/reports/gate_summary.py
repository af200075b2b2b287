"""A comparison as GitHub's Markdown: for a job's summary, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.benchmarks.gate.budgets import read_share
from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.reports.checks import COLUMNS, cells, machine, runtimes, sources
from edgeopt.reports.drift import drift_chart, drift_lines
from edgeopt.reports.gate_sentence import sentence
from edgeopt.reports.markdown import plain, row
from edgeopt.reports.mermaid import Line, lines

_SIGNS = {
    Verdict.PASS: "✅",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.UNFIT: "⚠️",
    Verdict.REGRESSION: "❌",
}
_COLORS = {Verdict.PASS: ("Green", "#1a7f37"), Verdict.REGRESSION: ("Red", "#cf222e")}
_OPEN = "Amber", "#bf8700"
_GREY, _BLUE = "#6e7781", "#54aeff"


def summary(found: Comparison) -> str:
    """The verdict and a sentence with its figures, the checks, a chart, how it was measured."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Comparison) -> Iterator[str]:
    candidate, baseline = (plain(side.artifact) for side in (found.candidate, found.baseline))
    yield f"### {_SIGNS[found.verdict]} {found.verdict.value}: {candidate} beside {baseline}"
    yield from ("", f"**{plain(sentence(found))}**", "")
    yield row(COLUMNS)
    yield row(["---", "---", *["--:"] * (len(COLUMNS) - 2)])
    for check in found.checks:
        name, verdict, *figures = map(plain, cells(check))
        yield row([name, f"{_SIGNS[check.verdict]} {verdict}", *figures])
    yield ""
    why = [f"**{plain(c.name)}**: {plain(c.why)}" for c in found.checks if c.why]
    notes = map(plain, (*found.notes, sources(found)))
    told = [f"- {each}" for each in (*why, *notes) if each]
    yield from [*told, ""] if told else []
    yield from _chart(found)
    yield from _history(found)
    yield f"<sub>{_measured(found)}</sub>"


def _chart(found: Comparison) -> Iterator[str]:
    """Process by process: whether it is this slow each time, and how far the machine can tell."""
    if len(found.ratios) < 2:
        return
    allowed = 100 * read_share(found.checks[0].budget, "the budget")
    word, color = _COLORS.get(found.verdict, _OPEN)
    drawn = [
        Line(_GREY, [allowed] * len(found.ratios)),
        Line(_BLUE, [100 * (each.copy - 1) for each in found.ratios]),
        Line(color, [100 * (each.candidate - 1) for each in found.ratios]),
    ]
    yield "```mermaid"
    yield lines("How much slower than the baseline", "process", "%", drawn)
    yield from ("```", "")
    yield (
        f"<sub>{word}: the candidate. Grey: what is allowed. Blue: a second copy of the baseline, "
        "0 on a perfect machine.</sub>"
    )
    yield ""


def _history(found: Comparison) -> Iterator[str]:
    """What all comparisons add up to, drawn."""
    if found.drift is None:
        return
    first, *steps = map(plain, drift_lines(found.drift))
    yield from (f"{first}.", "")
    yield from [*(f"- {step}" for step in steps), ""] if steps else []
    if chart := drift_chart(found.drift):
        yield from ("```mermaid", chart, "```", "")


def _measured(found: Comparison) -> str:
    low, high = (100 * (each - 1) for each in (found.copy.low, found.copy.high))
    return (
        f"{found.kind.value.capitalize()} on {plain(machine(found))} with "
        f"{plain(runtimes(found))} in {found.processes} processes, {found.seconds:.0f} s. "
        "A copy of the baseline came out at "
        f"{100 * (found.copy.point - 1):+.1f}% \\[{low:+.1f}, {high:+.1f}\\]; a slowdown of "
        f"{100 * (found.detectable - 1):.1f}% would have been found four times in five."
    )
