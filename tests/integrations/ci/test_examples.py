"""The examples for CI servers are what they say: YAML, inputs and command lines that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from edgeopt.cli.application import application

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "ci"
GITHUB = sorted(EXAMPLES.glob("github*.yml"))
MAJORS = {
    "actions/checkout": "v7",
    "actions/download-artifact": "v8",
    "actions/github-script": "v8",
}


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def test_every_example_is_here_and_shown() -> None:
    page = (ROOT / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\{literalinclude\} \.\./\.\./examples/ci/(\S+)", page))
    assert shown == {path.name for path in EXAMPLES.iterdir()}


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_a_workflow_names_actions_and_inputs_that_there_are(path: Path) -> None:
    inputs = load(ROOT / "action.yml")["inputs"]
    used = [step for step in steps(path) if "uses" in step]
    ours = [step for step in used if step["uses"].startswith("OWNER/edgeopt@")]
    assert all(step["with"].keys() <= inputs.keys() for step in ours)
    others = dict(step["uses"].split("@") for step in used if step not in ours)
    assert others.items() <= MAJORS.items()


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_a_workflow_has_the_rights_that_it_needs_alone(path: Path) -> None:
    workflow = load(path)
    events = workflow[True]  # YAML 1.1 takes `on` for a truth value; GitHub doesn't
    assert "pull_request_target" not in events
    comments = "workflow_run" in events
    expected = {"actions": "read", "pull-requests": "write"} if comments else {"contents": "read"}
    assert workflow["permissions"] == expected
    assert "secrets." not in path.read_text(encoding="utf-8")
    # What runs with rights to write neither checks out nor runs what a stranger wrote.
    assert not comments or not any("run" in s or "checkout" in s["uses"] for s in steps(path))


def test_the_comment_is_found_again_by_its_mark() -> None:
    from edgeopt.integrations.github.reporting import mark

    script = (EXAMPLES / "github-comment.yml").read_text(encoding="utf-8")
    assert f"'{mark(load(ROOT / 'action.yml')['inputs']['artifact']['default'])}'" in script


def test_the_comment_follows_the_workflow_by_its_name() -> None:
    follows = load(EXAMPLES / "github-comment.yml")[True]["workflow_run"]["workflows"]
    assert follows == [load(EXAMPLES / "github.yml")["name"]]


def test_gitlabs_command_lines_are_accepted() -> None:
    lines = load(EXAMPLES / "gitlab-ci.yml")["model"]["script"]
    commands = [c for line in lines for c in re.split(r"; (?:then )?", line) if "edgeopt " in c]
    assert len(commands) == 5
    for command in commands:
        name, *arguments = shlex.split(command.replace("$MISSING", "save"))[1:]
        context = click.Context(application, info_name="edgeopt", **application.context_settings)
        found = application.get_command(context, name)
        assert found is not None
        found.make_context(name, arguments, parent=context)


def test_gitlab_saves_on_the_default_branch_alone() -> None:
    job = load(EXAMPLES / "gitlab-ci.yml")["model"]
    default, request = job["rules"]
    assert default["if"] == "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    assert default["variables"] == {"CACHE": "pull-push", "MISSING": "save"}
    assert request["variables"] == {"CACHE": "pull", "MISSING": "fail"}
    assert job["cache"]["policy"] == "$CACHE"
    assert job["artifacts"]["reports"]["junit"] == ["data.xml", "model.xml", "report.xml"]
