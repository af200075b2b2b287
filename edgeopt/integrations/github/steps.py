"""The steps, in the order of ``action.yml``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from edgeopt.integrations.github.job import Job

BEGIN = "begin"

_STEPS = {
    BEGIN: "beginning",
    "validate-data": "checking",
    "convert": "converting",
    "smoke-test": "checking",
    "compare": "comparing",
    "save": "saving",
    "report": "reporting",
}
"""The module of each, whose function has the step's name; a step imports its own only."""


def find_step(name: str) -> Callable[[Job], int]:
    """The function of a step."""
    step: Callable[[Job], int] = getattr(
        import_module(f"edgeopt.integrations.github.{_STEPS[name]}"), name.replace("-", "_")
    )
    return step
