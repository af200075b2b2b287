"""A validation for CI: as Markdown and as JUnit's XML."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.pipeline.validation.records import DataValidation, Finding, Level, Validation
from edgeopt.pipeline.validation.words import plural
from edgeopt.reports.markdown import plain, row
from edgeopt.reports.suite import Case, End, suite
from edgeopt.reports.workflow_commands import workflow_command

COLUMNS = ("check", "result", "found", "allowed")
_SIGNS = {Level.SKIPPED: "❔", Level.PASS: "✅", Level.WARN: "⚠️", Level.FAIL: "❌"}
_KINDS = {Level.WARN: "warning", Level.FAIL: "error"}
_ENDS: dict[Level, End] = {Level.SKIPPED: "skipped", Level.FAIL: "failure"}


def cells(finding: Finding) -> tuple[str, ...]:
    """One row under :data:`COLUMNS`."""
    return finding.title, finding.level.value, finding.found, finding.limit


def noted(found: Validation) -> list[Finding]:
    """The findings that say why, the worst first."""
    order = list(Level)
    told = [finding for finding in found.findings if finding.why]
    return sorted(told, key=lambda finding: -order.index(finding.level))


def sentence(found: Validation) -> str:
    """What a reviewer reads before anything else."""
    told = [f for f in found.findings if f.level is found.level and f.why]
    if found.level not in _KINDS or not told:
        count = sum(finding.level is Level.PASS for finding in found.findings)
        return f"{plural(count, 'check')} passed."
    others = f" The same holds of: {', '.join(f.title for f in told[1:])}." if told[1:] else ""
    return f"{told[0].title}: {told[0].why}.{others}"


def annotation(found: Validation) -> str:
    """The workflow command of GitHub Actions that shows it in one line."""
    title = f"{found.level.value}: {found.subject}"
    return workflow_command(_KINDS.get(found.level, "notice"), sentence(found), title=title)


def summary(found: Validation) -> str:
    """The result first, then what isn't as it should be, then every check."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Validation) -> Iterator[str]:
    yield f"### {_SIGNS[found.level]} {found.level.value}: {plain(found.subject)}"
    yield from ("", f"**{plain(sentence(found))}**", "")
    for finding in noted(found):
        yield f"- {_SIGNS[finding.level]} **{plain(finding.title)}**: {plain(finding.why)}"
    yield from [""] if noted(found) else []
    yield row(COLUMNS)
    yield row(["---", "---", "--:", "--:"])
    for finding in found.findings:
        name, level, *rest = map(plain, cells(finding))
        yield row([name, f"{_SIGNS[finding.level]} {level}", *rest])


def junit(found: Validation) -> bytes:
    """The XML, in UTF-8; a warning is a passed check that says so."""
    cases = [_case(finding, found.subject) for finding in found.findings]
    what = "data" if isinstance(found, DataValidation) else "model"
    return suite(f"edgeopt validate {what}", cases, found.seconds)


def _case(finding: Finding, subject: str) -> Case:
    told = f"found {finding.found or '-'}, allowed {finding.limit or '-'}"
    if finding.level is Level.WARN:
        told = f"warning: {finding.why}; {told}"
    message = f"{finding.level.value}: {finding.why}"
    return Case(subject, finding.title, told, _ENDS.get(finding.level), message)
