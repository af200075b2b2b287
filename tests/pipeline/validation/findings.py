"""Picking findings out of a validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeopt.pipeline.validation.records import DataValidation, Finding, Level

Save = Callable[..., Path]


def finding(found: DataValidation, title: str) -> Finding:
    (one,) = [each for each in found.findings if each.title == title]
    return one


def bad(found: DataValidation) -> list[str]:
    return [each.title for each in found.findings if each.level in (Level.WARN, Level.FAIL)]
