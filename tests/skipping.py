"""In CI a test that is skipped has failed: what isn't run shows nothing."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

ALLOWED = {
    "no Python 3.8 here": "no distribution has it any more; where it is installed, it is used",
    "no Python 3.6 or 3.7 here": "likewise: too old a Python on a device must be named as such",
    "its packages can't be had here": "wheels for Python 3.8 leave the package index one by one",
}
"""Reasons for which a test may be skipped even there, and why no CI machine can help it."""


def hidden(reason: str) -> bool:
    """Whether CI must not pass over a test that is skipped for this reason."""
    return bool(os.environ.get("CI")) and not any(reason.endswith(known) for known in ALLOWED)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # What is expected to fail is reported as skipped as well; it did run.
    if report.skipped and not hasattr(report, "wasxfail") and hidden(_reason(report)):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and hidden(_reason(report)):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {_reason(report)}"
    return report
