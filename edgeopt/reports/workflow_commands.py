"""A comparison as GitHub's workflow commands, which become annotations of a run.

A runner reads them from standard output and from standard error, a line each. What a file is called
must not become a command of its own, so that everything is escaped as its parser undoes it.
"""

from __future__ import annotations

from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.reports.gate_sentence import sentence

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, ord(":"): "%3A", ord(","): "%2C"}
_KINDS = {Verdict.PASS: "notice", Verdict.REGRESSION: "error"}


def annotation(found: Comparison, *, failing: bool) -> str:
    """The command that shows a comparison in one line.

    Args:
        found: The comparison.
        failing: Whether what is open fails the run, and so is an error, not a warning.
    """
    kind = _KINDS.get(found.verdict, "error" if failing else "warning")
    title = f"{found.verdict.value}: {found.candidate.artifact}"
    return workflow_command(kind, sentence(found), title=title)


def workflow_command(kind: str, message: str, **properties: str) -> str:
    r"""One command, without the end of its line.

    >>> workflow_command("error", "50% slower\nthan before", title="a:b,c")
    '::error title=a%3Ab%2Cc::50%25 slower%0Athan before'
    """
    told = ",".join(f"{k}={_shown(v).translate(_PROPERTY)}" for k, v in properties.items())
    return f"::{kind}{' ' if told else ''}{told}::{_shown(message).translate(_DATA)}"


def _shown(text: str) -> str:
    """Text without what would steer a terminal; the ends of lines are escaped later."""
    return "".join(c if c.isprintable() or c in "\r\n" else "?" for c in text)
