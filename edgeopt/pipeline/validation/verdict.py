"""What all findings come to."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edgeopt.core.errors import GateError
from edgeopt.pipeline.validation.records import Finding, Level, Validation


def worst(findings: Iterable[Finding]) -> Level:
    """The level of the whole."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.SKIPPED)


def judged(findings: Iterable[Finding], *, strict: bool) -> tuple[Finding, ...]:
    """The findings with warnings as failures, if ``strict``."""
    return tuple(
        msgspec.structs.replace(finding, level=Level.FAIL)
        if strict and finding.level is Level.WARN
        else finding
        for finding in findings
    )


def check_validation(found: Validation) -> None:
    """Turn a failure into its exit code.

    Raises:
        GateError: If a check failed; says which.
    """
    if found.level is not Level.FAIL:
        return
    failed = [f for f in found.findings if f.level is Level.FAIL]
    more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    hint = "mend it, or change the limit" if any(f.limit for f in failed) else "mend it"
    raise GateError(f"{found.subject}: {failed[0].title}: {failed[0].why}{more}", hint=hint)
