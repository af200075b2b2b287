"""A comparison as JUnit's XML, which every CI server shows: a test case for each check."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict
from edgeopt.reports.checks import cells

_ENDS = {Verdict.REGRESSION: "failure", Verdict.UNFIT: "error", Verdict.INCONCLUSIVE: "skipped"}


def junit(found: Comparison) -> bytes:
    """The XML, in UTF-8."""
    ends = [_ENDS.get(check.verdict) for check in found.checks]
    suite = Xml.Element(
        "testsuite",
        name="edgeopt compare",
        tests=str(len(ends)),
        failures=str(ends.count("failure")),
        errors=str(ends.count("error")),
        skipped=str(ends.count("skipped")),
        time=f"{found.seconds:.3f}",
    )
    for check in found.checks:
        _case(suite, check, found)
    Xml.indent(suite)
    text: bytes = Xml.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(suite: Xml.Element, check: Check, found: Comparison) -> None:
    named = {"classname": _legal(found.candidate.artifact), "name": _legal(check.name)}
    case = Xml.SubElement(suite, "testcase", named)
    _, _, baseline, candidate, change, allowed = cells(check)
    told = f"{candidate}, baseline {baseline}, change {change}, allowed {allowed}"
    if (end := _ENDS.get(check.verdict)) is not None:
        message = _legal(f"{check.verdict.value}: {check.why}")
        Xml.SubElement(case, end, message=message).text = told
    else:
        Xml.SubElement(case, "system-out").text = told


def _legal(text: str) -> str:
    """Text without the characters that XML 1.0 has no way to write."""
    return "".join(
        c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "?" for c in text
    )
