"""A runner for ``action.yml``: its shell as GitHub runs it, in a repository of its own.

What a step ``uses`` is not run: those actions are GitHub's. Whether each would run, and with what,
is noted instead.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>&&|\|\||==|!=|[!(),]))"
)
_SIGNS = {"&&": " and ", "||": " or ", "!": " not "}
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass
class Outcome:
    """How a run of the action ended."""

    codes: dict[str, int] = field(default_factory=dict)
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""

    @property
    def code(self) -> int:
        """The first that isn't 0: what fails the job."""
        return next((code for code in self.codes.values() if code), 0)


@dataclass
class Runner:
    """A repository, and what GitHub tells of it."""

    workspace: Path
    temporary: Path
    action: dict[str, Any]
    environment: dict[str, str]

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
        subprocess.run(["git", *who, *words], cwd=self.workspace, check=True, capture_output=True)

    def run(self, event: str = "push", ref: str = "refs/heads/main", **inputs: str) -> Outcome:
        """Run the action for an event; ``_`` in an input's name stands for ``-``."""
        given = {name: str(each.get("default", "")) for name, each in self.action["inputs"].items()}
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert named.keys() <= given.keys()
        contexts: dict[str, Any] = {
            "inputs": {**given, **named},
            "github": {"run_id": "7", "run_attempt": "1"},
            "steps": {},
        }
        outcome, environment = Outcome(), self._environment(event, ref)
        for step in self.action["runs"]["steps"]:
            if _wanted(step.get("if", ""), contexts, failed=bool(outcome.code)):
                self._step(step, contexts, environment, outcome)
        for name, each in self.action["outputs"].items():
            outcome.outputs[name] = _filled(each["value"], contexts)
        return outcome

    def _environment(self, event: str, ref: str) -> dict[str, str]:
        payload = self.temporary / "event.json"
        payload.write_text(json.dumps({"repository": {"default_branch": "main"}}))
        told = {
            "ACTIONS": "true", "EVENT_NAME": event, "REF": ref, "EVENT_PATH": str(payload),
            "ACTION_PATH": str(ROOT), "WORKSPACE": str(self.workspace), "RUN_ID": "7",
            "SERVER_URL": "https://github.example", "REPOSITORY": "me/net",
        }  # fmt: skip
        return {**self.environment, **{f"GITHUB_{name}": value for name, value in told.items()}}

    def _step(
        self, step: dict[str, Any], contexts: dict[str, Any], environment: dict[str, str],
        outcome: Outcome,
    ) -> None:  # fmt: skip
        if "uses" in step:
            given = step.get("with", {})
            outcome.used[step["name"]] = {k: _filled(v, contexts) for k, v in given.items()}
            return
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "text of others in a script is theirs to run"
        files = {name: self._empty(name) for name in ("OUTPUT", "STEP_SUMMARY", "ENV", "PATH")}
        script = self.temporary / "script.sh"
        script.write_text(step["run"])
        own = {name: _filled(value, contexts) for name, value in step.get("env", {}).items()}
        paths = {f"GITHUB_{name}": str(path) for name, path in files.items()}
        ran = subprocess.run(
            [*BASH, script], cwd=self.workspace, env={**environment, **own, **paths},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
        )  # fmt: skip
        outcome.codes[step["name"]] = ran.returncode
        outcome.log += ran.stdout
        outcome.summary += files["STEP_SUMMARY"].read_text(encoding="utf-8")
        assert not files["ENV"].read_text()
        assert not files["PATH"].read_text()
        if "id" in step:
            contexts["steps"][step["id"]] = {
                "outputs": _outputs(files["OUTPUT"]),
                "outcome": "failure" if ran.returncode else "success",
            }

    def _empty(self, name: str) -> Path:
        path = self.temporary / name
        path.write_text("")
        return path


def _outputs(path: Path) -> dict[str, str]:
    """As the runner reads them: ``name=value``, or ``name<<END`` and lines up to ``END``."""
    found, lines = {}, path.read_text(encoding="utf-8").split("\n")
    while lines:
        name, sign, end = lines.pop(0).partition("<<")
        if not sign:
            assert not name, f"not an output: {name}"
            continue
        value = []
        while (line := lines.pop(0)) != end:
            value.append(line)
        found[name] = "\n".join(value)
    return found


def _wanted(condition: str, contexts: dict[str, Any], *, failed: bool) -> bool:
    inner = condition.strip().removeprefix("${{").removesuffix("}}")
    if failed and "always()" not in inner:
        return False
    return not inner or bool(_evaluated(inner, contexts))


def _filled(text: str, contexts: dict[str, Any]) -> str:
    return _PLACE.sub(lambda place: str(_evaluated(place[1], contexts)), str(text))


def _evaluated(expression: str, contexts: dict[str, Any]) -> Any:
    """The part of GitHub's expressions that ``action.yml`` uses."""
    words, at, text = [], 0, expression.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token, f"not understood: {text[at:]}"
        at = token.end()
        if token["name"] and not text[at:].lstrip().startswith("("):
            words.append(f"look({token['name']!r})")
        else:
            words.append(_SIGNS.get(token["sign"] or "", token[0].strip()))
    functions = {
        "look": lambda name: _look(name, contexts),
        "always": lambda: True,
        "contains": lambda text, part: part in text,
        "toJSON": lambda value: json.dumps(value, indent=2),
    }
    return eval("".join(words), {"__builtins__": {}}, functions)


def _look(name: str, contexts: dict[str, Any]) -> Any:
    found: Any = contexts
    for part in name.split("."):
        found = found.get(part, {})
    return found if found or name == "inputs" else ""


@pytest.fixture
def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def runner(tmp_path: Path, action: dict[str, Any]) -> Runner:
    """A fresh repository whose ``python`` is this one."""
    for name in ("repository", "temporary"):
        (tmp_path / name).mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = Runner(tmp_path / "repository", tmp_path / "temporary", action, {**kept, "PATH": path})
    found.git("init", "--initial-branch=main", ".")
    return found


@pytest.fixture
def commit(runner: Runner, save_net: Callable[..., None]) -> Callable[..., None]:
    """``commit(turns)``: a model of so much work, as the repository's next commit."""

    def make(turns: int, name: str = "net.onnx") -> None:
        save_net(runner.workspace / name, turns)
        runner.git("add", name)
        runner.git("commit", "-m", f"{turns} turns")

    return make
