"""What a workflow gives the action: text, every bit of which may be anything."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from edgeopt.core.errors import UsageError

MISSING = ("fail", "warn")


class Inputs(msgspec.Struct, frozen=True, rename="kebab"):
    """The inputs that the steps read; ``action.yml`` says what each is. All are text."""

    model: str
    candidate: str
    to: str
    precision: str
    calibration: str
    evaluation: str
    validate_arguments: str
    convert_arguments: str
    baseline: str
    store: str
    history: str
    max_slowdown: str
    compare_arguments: str
    max_time: str
    timeout: str
    inconclusive: str
    if_missing: str
    accept: str
    output: str
    report: str
    artifact: str

    @property
    def folder(self) -> Path:
        """Where the reports go."""
        return Path(self.report)


def read_inputs(text: str) -> Inputs:
    """Read ``toJSON(inputs)``.

    Raises:
        UsageError: If one is missing, or isn't what it must be.
    """
    try:
        inputs = msgspec.json.decode(text.encode(), type=Inputs)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"the action's inputs can't be read: {error}",
            hint="use action.yml and EdgeOpt of one version",
        ) from error
    _check_one_of("if-missing", inputs.if_missing, MISSING)
    _check_one_of("accept", inputs.accept, ("", "true", "false"))
    _check_one_of("inconclusive", inputs.inconclusive, ("", "fail", "pass"))
    if not inputs.report.strip():
        raise UsageError("the input report is empty", hint="name a folder")
    if bool(inputs.model) == bool(inputs.candidate):
        raise UsageError(
            "the action needs one of the inputs model and candidate",
            hint="model is converted first; candidate is an artifact that is there",
        )
    return inputs


def words(option: str, text: str) -> list[str]:
    """Arguments as a shell would split them, but nothing is ever expanded or run.

    Raises:
        UsageError: If a quote isn't closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"{option} is {text!r}: {error}", hint="quote it as for a shell"
        ) from error


def seconds(option: str, text: str) -> float:
    """A time in s.

    Raises:
        UsageError: If it is none.
    """
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise UsageError(f"{option} is {text!r}", hint="give it seconds, as in 300")
    return found


def _check_one_of(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        named = ", ".join(each or "nothing" for each in allowed)
        raise UsageError(f"the input {name} is {given!r}", hint=f"it can be: {named}")
