"""How both commands of ``edgeopt validate`` end."""

from __future__ import annotations

from edgeopt.cli.ci import Reporting
from edgeopt.cli.terminal import Terminal
from edgeopt.cli.views.validation import draw_validation
from edgeopt.pipeline.validation.records import Validation
from edgeopt.pipeline.validation.verdict import check_validation
from edgeopt.reports.validation import annotation, junit, summary


def report(terminal: Terminal, found: Validation, reporting: Reporting) -> None:
    """Write what CI reads, show the result, and refuse a failure.

    Raises:
        GateError: If a check failed.
        OutputError: If a report can't be written.
    """
    reporting.write(lambda: summary(found), lambda: junit(found))
    terminal.show(found, draw_validation)
    reporting.annotate(lambda: annotation(found))
    with terminal.judging():
        check_validation(found)
