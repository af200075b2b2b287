"""Every command explains itself, with examples that are accepted, and at once."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest

from edgeopt import __version__
from edgeopt.cli.application import COMMANDS, EXAMPLES, application
from edgeopt.cli.command import Command
from edgeopt.cli.group import LazyGroup, Listed

Run = Callable[..., Any]
Process = Callable[..., subprocess.CompletedProcess[str]]

HEAVY = ("numpy", "onnx", "onnx_ir", "onnxruntime", "torch", "tensorflow", "msgspec", "rich", "PIL")
LOADED = f"""
import sys
from edgeopt.cli import main
code = main(sys.argv[1:])
sys.exit(code or ", ".join(n for n in {HEAVY!r} if n in sys.modules))
"""


def leaves(group: LazyGroup, before: str = "") -> Iterator[tuple[str, Listed]]:
    """Every command that does something, ``validate data`` among them."""
    for name, listed in group.listed.items():
        found = group.get_command(click.Context(group), name)
        if isinstance(found, LazyGroup):
            yield from leaves(found, f"{name} ")
        else:
            yield before + name, listed


LEAVES = dict(leaves(application))


def command(name: str) -> Command:
    found: click.Command | None = application
    for word in name.split():
        assert isinstance(found, LazyGroup)
        found = found.get_command(click.Context(found), word)
    assert isinstance(found, Command)
    return found


@pytest.mark.parametrize("name", LEAVES)
def test_help_says_what_a_command_does_and_ends_in_examples(run: Run, name: str) -> None:
    ran = run(*name.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"Usage: edgeopt {name}" in ran.out
    assert LEAVES[name].summary in ran.out
    *_, examples = ran.out.partition("\nExamples:\n")
    assert len(examples.splitlines()) >= 2
    assert all(line.startswith("  ") for line in examples.splitlines())
    assert run(*name.split(), "-h").out == ran.out


def test_a_group_lists_its_commands_and_ends_in_examples(run: Run) -> None:
    ran = run("validate", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "  data " in ran.out
    assert COMMANDS["validate"].summary in ran.out
    assert "\nExamples:\n  edgeopt validate data " in ran.out


@pytest.mark.parametrize(
    ("words", "told"),
    [([], "missing command"), (["dta"], "no command 'dta': did you mean 'data'?")],
)
def test_a_group_by_itself_is_wrong_use(run: Run, words: list[str], told: str) -> None:
    ran = run("validate", *words)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.line


@pytest.mark.parametrize("name", LEAVES)
def test_a_summary_in_the_list_is_the_commands_own(name: str) -> None:
    help_text = command(name).help
    assert help_text is not None
    assert help_text.splitlines()[0] == LEAVES[name].summary


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_has_help(name: str) -> None:
    options = [p for p in command(name).params if isinstance(p, click.Option)]
    assert [o.name for o in options if not o.help] == []


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_the_common_options(name: str) -> None:
    options = {o for p in command(name).params for o in p.opts}
    assert {"--json", "-q", "--quiet", "-v", "--verbose"} <= options


@pytest.mark.parametrize(
    "line",
    [*EXAMPLES, *(e for name in LEAVES if name != "completion" for e in command(name).examples)],
)
def test_an_example_is_accepted(line: str) -> None:
    name, arguments = split(shlex.split(line.replace("\\\n", " "))[1:])
    context = click.Context(application, info_name="edgeopt", **application.context_settings)
    if arguments != ["--help"]:
        command(name).make_context(name, arguments, parent=context)


def split(words: list[str]) -> tuple[str, list[str]]:
    """A command's name, of one word or two, and its arguments."""
    count = 1 if words[0] in LEAVES else 2
    return " ".join(words[:count]), words[count:]


def test_the_list_of_commands(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert all(f"  {name} " in ran.out for name in COMMANDS)
    assert "Examples:" in ran.out
    assert run().out == ran.out


def test_the_version(run: Run) -> None:
    assert run("--version").out == f"edgeopt {__version__}\n"


@pytest.mark.parametrize("name", ["", "validate", *LEAVES])
def test_help_imports_nothing_heavy(process: Process, name: str) -> None:
    ran = process(*name.split(), "--help", code=LOADED)
    assert ran.stderr == "\n"  # nothing was loaded
    assert "Usage: edgeopt" in ran.stdout


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_help_fits_any_terminal(process: Process, width: str) -> None:
    ran = process("convert", "--help", COLUMNS=width)
    assert ran.returncode == 0
    assert "--calibration DATA" in ran.stdout
