"""The documentation can't drift: what it names exists, and every command line in it is accepted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from edgeopt.cli.application import application
from edgeopt.core.record import read_toml

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/*.md")])
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<to>[^)\s]+)\)")


def blocks(page: Path, *languages: str) -> list[str]:
    """The code of a page's fenced blocks of these languages."""
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [match["code"] for match in found if match["language"] in languages]


def command_lines(page: Path) -> list[str]:
    """Every ``edgeopt ...`` of a page's shell blocks, continuation lines joined."""
    text = "\n".join(blocks(page, "console", "sh", "bash")).replace("\\\n", " ")
    lines = [line.strip().removeprefix("$ ").strip() for line in text.splitlines()]
    return [line for line in lines if line.startswith("edgeopt ")]


SHOWN = [
    pytest.param(line, id=f"{page.stem}:{number}")
    for page in PAGES
    for number, line in enumerate(command_lines(page), 1)
]


def parse(line: str) -> str:
    """Read a command line as the terminal would, validating every option and running nothing.

    Returns:
        The command's name.
    """
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    # click keeps the names of a command's help option from the first context it is asked in.
    context = click.Context(application, info_name="edgeopt", **application.context_settings)
    command: click.Command | None = application
    names = []
    while isinstance(command, click.Group):
        names.append(words.pop(0))
        command = command.get_command(context, names[-1])
    assert command is not None, f"no command {' '.join(names)!r}"
    command.make_context(names[-1], words, parent=context)
    return " ".join(names)


def every_command(group: click.Group, before: str = "") -> set[str]:
    """The names of all commands that do something: ``validate data`` is one."""
    context, found = click.Context(group), set()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= every_command(command, f"{name} ")
        else:
            found.add(before + name)
    return found


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_line_that_is_shown_is_accepted(line: str) -> None:
    assert parse(line) in every_command(application)


def test_a_command_line_that_is_wrong_would_be_found() -> None:
    with pytest.raises(click.UsageError, match="--prescision"):
        parse("edgeopt convert model.pt2 --prescision int8")


def test_every_command_is_shown_at_work() -> None:
    shown = {parse(line) for page in PAGES for line in command_lines(page)}
    assert shown == every_command(application)


def test_the_reference_is_made_from_the_commands_themselves() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert ".. click:: edgeopt.cli.application:application" in page
    assert ":nested: full" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = {match["to"].partition("#")[0] for match in LINK.finditer(page.read_text("utf-8"))}
    local = [to for to in targets if to and "://" not in to]
    assert [to for to in local if not (page.parent / to).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_that_is_shown_compiles(page: Path) -> None:
    for code in blocks(page, "python"):
        assert compile(code, str(page), "exec")


def test_a_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text(encoding="utf-8"))
    }
    assert {"demo", "test"} <= named <= targets


def test_a_decision_that_code_refers_to_is_recorded() -> None:
    recorded = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    named = {
        number
        for path in (ROOT / "edgeopt").rglob("*.py")
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    assert named <= recorded


def test_the_preprocessing_contract_that_is_shown_is_one(tmp_path: Path) -> None:
    from edgeopt.core.preprocessing import Preprocessing

    (shown,) = blocks(ROOT / "docs" / "guide" / "preprocessing.md", "toml")
    (tmp_path / "contract.toml").write_text(shown, encoding="utf-8")
    contract = read_toml(tmp_path / "contract.toml", Preprocessing)
    assert set(re.findall(r"^(\w+) =", shown, re.MULTILINE)) == set(contract.__struct_fields__)


def test_the_target_that_is_shown_is_one(tmp_path: Path) -> None:
    from edgeopt.targets import load_target

    (shown,) = blocks(ROOT / "docs" / "guide" / "int8.md", "toml")
    (tmp_path / "board.toml").write_text(shown, encoding="utf-8")
    assert load_target(str(tmp_path / "board.toml")).name == "my-board"


def test_every_field_of_the_manifest_is_in_the_reference() -> None:
    from edgeopt.core.manifest import Manifest

    page = (ROOT / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(Manifest.__struct_fields__) <= named
