"""A comparison as JUnit's XML."""

from __future__ import annotations

from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict
from edgeopt.reports.checks import cells
from edgeopt.reports.suite import Case, End, suite

_ENDS: dict[Verdict, End] = {
    Verdict.REGRESSION: "failure",
    Verdict.UNFIT: "error",
    Verdict.INCONCLUSIVE: "skipped",
}


def junit(found: Comparison) -> bytes:
    """The XML, in UTF-8."""
    cases = [_case(check, found.candidate.artifact) for check in found.checks]
    return suite("edgeopt compare", cases, found.seconds)


def _case(check: Check, artifact: str) -> Case:
    _, _, baseline, candidate, change, allowed = cells(check)
    return Case(
        subject=artifact,
        name=check.name,
        told=f"{candidate}, baseline {baseline}, change {change}, allowed {allowed}",
        end=_ENDS.get(check.verdict),
        message=f"{check.verdict.value}: {check.why}",
    )
