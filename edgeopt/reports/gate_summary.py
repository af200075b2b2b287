"""A comparison as GitHub's Markdown: for a job's summary, or a comment on a pull request."""

from __future__ import annotations

import html
from collections.abc import Iterator

from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.reports.checks import COLUMNS, cells

_SIGNS = {
    Verdict.PASS: "✅",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.UNFIT: "⚠️",
    Verdict.REGRESSION: "❌",
}
_MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]()#|~$!"} | {"\n": " ", "\r": " "})


def summary(found: Comparison) -> str:
    """The verdict first, then the checks, then how it was measured."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Comparison) -> Iterator[str]:
    candidate, baseline = (_plain(side.artifact) for side in (found.candidate, found.baseline))
    yield f"### {_SIGNS[found.verdict]} {found.verdict.value}: {candidate} beside {baseline}"
    yield ""
    yield _row(COLUMNS)
    yield _row(["---", "---", *["--:"] * (len(COLUMNS) - 2)])
    for check in found.checks:
        name, verdict, *figures = map(_plain, cells(check))
        yield _row([name, f"{_SIGNS[check.verdict]} {verdict}", *figures])
    yield ""
    for check in found.checks:
        if check.verdict is not Verdict.PASS:
            yield f"- **{_plain(check.name)}**: {_plain(check.why)}"
    yield from (f"- {_plain(note)}" for note in found.notes)
    yield ""
    copy = [
        f"{100 * (each - 1):+.1f}" for each in (found.copy.point, found.copy.low, found.copy.high)
    ]
    machine = found.machine.cpu.value or found.machine.architecture
    yield (
        f"<sub>{found.kind.value.capitalize()} on {_plain(machine)} in {found.processes} "
        f"processes, {found.seconds:.0f} s. A copy of the baseline came out at {copy[0]}% "
        f"\\[{copy[1]}, {copy[2]}\\]; a slowdown of {100 * (found.detectable - 1):.1f}% would have "
        "been found four times in five.</sub>"
    )


def _row(words: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(words)} |"


def _plain(text: str) -> str:
    """Text that is nothing but text to Markdown and HTML, whatever a file is called."""
    shown = "".join(c if c.isprintable() or c in "\r\n" else "?" for c in text)
    return html.escape(shown.translate(_MARKDOWN), quote=False)
