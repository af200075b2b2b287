"""The command line of each step. User's text is an argument of its own, never part of another."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.integrations.github.inputs import Inputs, words

COMPARISON, SUMMARY, JUNIT = "comparison.json", "comparison.md", "junit.xml"
DATA, SMOKE = "data.md", "smoke-test.md"
DATA_JUNIT, SMOKE_JUNIT = "data.xml", "smoke-test.xml"
CONVERSION, SAVED, PRUNED = "conversion.json", "baseline.json", "pruned.json"
FAILURE = "failure.md"
"""What a step leaves that failed; the report takes it where there is no comparison."""
COMMENT = "comment.md"
FILES = (
    *(DATA, DATA_JUNIT, CONVERSION, SMOKE, SMOKE_JUNIT, COMPARISON, SUMMARY, JUNIT, SAVED, PRUNED),
    *(FAILURE, COMMENT),
)
"""All that the steps write into the folder of reports."""


def validate_data(inputs: Inputs) -> list[str]:
    """``edgeopt validate data``: calibration data, with evaluation data beside it."""
    both = bool(inputs.calibration and inputs.evaluation)
    given = {
        "--model": inputs.model or inputs.candidate,
        "--evaluation": inputs.evaluation if both else "",
        **_reports(inputs, DATA, DATA_JUNIT),
    }
    rest = words("validate-arguments", inputs.validate_arguments)
    data = inputs.calibration or inputs.evaluation
    return ["validate", "data", *_options(given), *rest, "--", data]


def convert(inputs: Inputs) -> list[str]:
    """``edgeopt convert``."""
    given = {
        "--to": inputs.to,
        "--precision": inputs.precision,
        "--calibration": inputs.calibration,
        "--evaluation": inputs.evaluation,
        "--output": inputs.output,
    }
    rest = words("convert-arguments", inputs.convert_arguments)
    return ["convert", "--json", *_options(given), *rest, "--", inputs.model]


def smoke_test(inputs: Inputs, candidate: str) -> list[str]:
    """``edgeopt validate model``."""
    given = {"--evaluation": inputs.evaluation, **_reports(inputs, SMOKE, SMOKE_JUNIT)}
    return ["validate", "model", *_options(given), "--", candidate]


def compare(inputs: Inputs, candidate: str, *, saves: bool) -> list[str]:
    """``edgeopt compare``.

    Args:
        inputs: The inputs.
        candidate: The artifact.
        saves: Whether a first candidate becomes the baseline.
    """
    given = {
        "--store": inputs.store,
        "--if-missing": "save" if saves else "",
        "--history": inputs.history,
        "--max-slowdown": inputs.max_slowdown,
        "--max-time": inputs.max_time,
        "--evaluation": inputs.evaluation,
        "--inconclusive": inputs.inconclusive,
        **_reports(inputs, SUMMARY, JUNIT),
    }
    rest = words("compare-arguments", inputs.compare_arguments)
    sides = f"@{inputs.baseline.removeprefix('@')}", candidate
    return ["compare", "--json", *_options(given), *rest, "--", *sides]


def save(inputs: Inputs, candidate: str) -> list[str]:
    """``edgeopt baseline save``."""
    given = {"--name": inputs.baseline.removeprefix("@"), "--store": inputs.store}
    return ["baseline", "--json", *_options(given), "--", "save", candidate]


def prune(inputs: Inputs) -> list[str]:
    """``edgeopt baseline prune``: a cache would hold every baseline that there ever was."""
    return ["baseline", "--json", *_options({"--store": inputs.store}), "--", "prune"]


def _reports(inputs: Inputs, summary: str, junit: str) -> dict[str, str]:
    return {
        "--summary": str(inputs.folder / summary),
        "--junit": str(inputs.folder / junit),
        "--annotations": "github",
    }


def _options(given: dict[str, str]) -> Iterator[str]:
    """Those that say something; ``=`` keeps a value that looks like an option a value."""
    return (f"{name}={value}" for name, value in given.items() if value)
