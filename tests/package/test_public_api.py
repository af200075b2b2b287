"""What ``import edgeopt`` promises."""

from __future__ import annotations

import inspect
from importlib import metadata
from pathlib import Path

import click
import pytest

import edgeopt
from edgeopt.cli.application import application
from edgeopt.cli.preprocessing import NAMES as CONTRACT

TERMINAL = {"as_json", "quiet", "verbose", "summary", "junit", "annotations"}
"""What only a terminal needs, or CI."""

ANOTHER = {
    "inspect": {"fmt", "input"},
    "benchmark": {"results"},
    "compare": {"if_missing", "inconclusive", "history", "label", "max_drift"},
}
"""Options that make a command another function: ``inspect --for`` is ``coverage``, and
``benchmark --import`` is ``import_results``; and what is done with a verdict."""


@pytest.mark.parametrize("name", edgeopt.__all__)
def test_a_public_name_resolves_and_is_documented(name: str) -> None:
    found = getattr(edgeopt, name)
    assert name.startswith("__") or (found.__doc__ and found.__name__ == name)


def test_there_is_nothing_but_the_public_names() -> None:
    assert dir(edgeopt) == sorted(edgeopt.__all__)
    with pytest.raises(AttributeError, match="no attribute 'deploy'"):
        edgeopt.deploy  # noqa: B018 - the access is what raises


def test_the_installed_version_is_the_packages() -> None:
    assert metadata.version("edgeopt") == edgeopt.__version__


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert Path(edgeopt.__file__).with_name("py.typed").is_file()


@pytest.mark.parametrize(
    "name",
    ["convert", "benchmark", "bundle", "inspect", "compare", "validate data", "validate model"],
)
def test_python_and_the_command_line_have_the_same_names(name: str) -> None:
    command: click.Command | None = application
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    options = {param.name for param in command.params} - TERMINAL - set(CONTRACT)
    options -= ANOTHER.get(name, set())
    parameters = set(inspect.signature(getattr(edgeopt, name.replace(" ", "_"))).parameters)
    assert options == parameters - {"progress"}
