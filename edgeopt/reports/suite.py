"""Checks as JUnit's XML, which every CI server shows: a test case for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as Xml

from edgeopt.core.printable import shown_lines

End = Literal["failure", "error", "skipped"]


@dataclass(frozen=True)
class Case:
    """One check.

    Args:
        subject: What was checked.
        name: The check.
        told: What was found.
        end: How it ended; None if it passed.
        message: Why, of one that didn't pass.
    """

    subject: str
    name: str
    told: str
    end: End | None = None
    message: str = ""


def suite(name: str, cases: Sequence[Case], seconds: float) -> bytes:
    """The XML, in UTF-8.

    Args:
        name: What made the checks: ``edgeopt compare``.
        cases: The checks.
        seconds: How long they took, in s.
    """
    ends = [case.end for case in cases]
    root = Xml.Element(
        "testsuite",
        name=name,
        tests=str(len(ends)),
        failures=str(ends.count("failure")),
        errors=str(ends.count("error")),
        skipped=str(ends.count("skipped")),
        time=f"{seconds:.3f}",
    )
    for case in cases:
        _add(root, case)
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add(root: Xml.Element, case: Case) -> None:
    named = {"classname": _legal(case.subject), "name": _legal(case.name)}
    element = Xml.SubElement(root, "testcase", named)
    if case.end is not None:
        end = Xml.SubElement(element, case.end, message=_legal(case.message))
        end.text = _legal(case.told)
    else:
        Xml.SubElement(element, "system-out").text = _legal(case.told)


def _legal(text: str) -> str:
    """Text without the characters that XML 1.0 has no way to write, or that turn a line around."""
    return shown_lines(text)
