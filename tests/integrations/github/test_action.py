"""The action's own shell on a repository with a regression in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgeopt.pipeline import baseline

Commit = Callable[..., None]
PULL_REQUEST = {"event": "pull_request", "ref": "refs/pull/7/merge"}
HERE = {"install": "false", "model": "net.onnx"}
THERE = {"install": "false", "candidate": "net.onnx"}
QUICK = {"compare_arguments": "--duration 0.1"}
STORE = ".edgeopt/baselines"
HISTORY = ".edgeopt/history.jsonl"


def names(runner: Any) -> list[str]:
    return [each.name for each in baseline.list(runner.workspace / STORE)]


@pytest.mark.timing
def test_a_regression_in_a_pull_request(runner: Any, commit: Commit) -> None:
    commit(80)
    first = runner.run(**HERE, **QUICK)
    assert first.code == 0, first.log
    assert first.outputs["verdict"] == "saved"
    assert first.outputs["saved"] == "true"
    assert names(runner) == ["main"]
    kept = baseline.show("main", runner.workspace / STORE).sha256
    restored, saved = first.used["Fetch the baselines"], first.used["Keep the baselines"]
    assert restored["key"] == saved["key"] == "edgeopt/main/7-1"
    assert restored["path"] == saved["path"] == STORE

    runner.git("checkout", "-b", "slower")
    commit(120)
    second = runner.run(**PULL_REQUEST, **HERE, **QUICK)
    assert second.codes["Compare with the baseline"] == second.code == 1, second.log
    assert second.outputs["verdict"] == "regression"
    assert second.outputs["saved"] == "false"
    lines = second.summary.splitlines()
    assert lines[0] == "### ❌ regression: out/net.fp32.onnx beside @main"
    told = (
        r"\*\*out/net.fp32.onnx takes (\d+\.\d)% more time than @main .*; 3% more is allowed\.\*\*"
    )
    (percent,) = re.fullmatch(told, lines[2]).groups()  # type: ignore[union-attr]
    assert 20 < float(percent) < 90
    assert "```mermaid" in lines
    assert second.outputs["comment"].startswith("<!-- edgeopt: edgeopt-report -->\n### ❌")
    assert "https://github.example/me/net/actions/runs/7" in second.outputs["comment"]
    report = runner.workspace / second.outputs["report"]
    found = json.loads((report / "comparison.json").read_text())
    assert found["baseline"]["runtime"] == found["candidate"]["runtime"]
    assert {path.name for path in report.iterdir()} >= {"comparison.md", "junit.xml", "comment.md"}
    assert "::error title=regression%3A out/net.fp32.onnx::" in second.log
    assert second.used["Upload the report"] == {"name": "edgeopt-report", "path": "edgeopt-report"}
    assert "Keep the baselines" not in second.used
    assert baseline.show("main", runner.workspace / STORE).sha256 == kept
    assert "Keep the history" not in second.used
    assert "Over 1 comparison the latency has come to" in second.summary


@pytest.mark.timing
def test_what_passes_replaces_the_baseline_after_the_merge_only(
    runner: Any, commit: Commit
) -> None:
    commit(120)
    assert runner.run(**THERE, **QUICK).code == 0
    commit(80)
    request = runner.run(**PULL_REQUEST, **THERE, **QUICK)
    assert (request.code, request.outputs["verdict"]) == (0, "pass"), request.log
    assert request.outputs["saved"] == "false"
    assert request.summary.startswith("### ✅ pass: ")
    merged = runner.run(**THERE, **QUICK)
    assert (merged.code, merged.outputs["saved"]) == (0, "true"), merged.log
    assert "Keep the baselines" in merged.used
    assert len([*(runner.workspace / STORE / "objects").iterdir()]) == 1
    fetched, kept = merged.used["Fetch the history"], merged.used["Keep the history"]
    assert fetched["path"] == kept["path"] == HISTORY
    assert fetched["key"] == kept["key"] == "edgeopt-history/main/7-1"
    # The request's line is there, as nothing but the workspace kept it.
    assert "Over 2 comparisons the latency has come to" in merged.summary


def test_without_a_history_there_is_none(runner: Any, commit: Commit) -> None:
    commit(4)
    ran = runner.run(**THERE, history="")
    assert ran.code == 0
    assert not {"Fetch the history", "Keep the history"} & ran.used.keys()
    assert not (runner.workspace / HISTORY).exists()


@pytest.mark.timing
def test_a_regression_on_the_default_branch_is_recorded(runner: Any, commit: Commit) -> None:
    commit(80)
    assert "Keep the history" not in runner.run(**THERE, **QUICK).used
    commit(120)
    ran = runner.run(**THERE, **QUICK)
    assert (ran.code, ran.outputs["verdict"]) == (1, "regression"), ran.log
    assert "Keep the history" in ran.used
    assert "Keep the baselines" not in ran.used


@pytest.mark.timing
def test_a_regression_is_accepted_by_hand_on_the_default_branch_alone(
    runner: Any, commit: Commit
) -> None:
    commit(80)
    assert runner.run(**THERE, **QUICK).code == 0
    commit(120)
    refused = runner.run(**PULL_REQUEST, **THERE, **QUICK, accept="true")
    assert (refused.code, refused.outputs["verdict"]) == (2, "error")
    assert "the input accept is for the default branch" in refused.summary
    accepted = runner.run("workflow_dispatch", **THERE, **QUICK, accept="true")
    assert (accepted.code, accepted.outputs["verdict"]) == (0, "regression"), accepted.log
    assert accepted.outputs["saved"] == "true"


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ({"max_time": "0.001"}, "time was up before there were two processes"),
        (
            {"timeout": "15", "compare_arguments": "--duration 60"},
            "it was stopped after 15 s: give it more with the input timeout",
        ),
    ],
)
def test_a_cap_on_time_is_inconclusive_never_a_pass(
    runner: Any, commit: Commit, limit: dict[str, str], why: str
) -> None:
    commit(4)
    baseline.save(runner.workspace / "net.onnx", "main", runner.workspace / STORE)
    ran = runner.run(**THERE, **limit, inconclusive="pass")
    assert ran.codes["Compare with the baseline"] == ran.code == 3
    assert ran.outputs["verdict"] == "inconclusive", ran.log
    assert why in ran.summary
    assert "Save it as the baseline" not in ran.codes


def test_data_that_fails_ends_it_before_any_work(runner: Any, commit: Commit) -> None:
    commit(4)
    np.savez(runner.workspace / "data.npz", x=np.full((100, 64), np.nan, np.float32))
    ran = runner.run(**HERE, calibration="data.npz")
    assert (ran.code, ran.outputs["verdict"]) == (1, "error"), ran.log
    assert "Convert" not in ran.codes
    assert ran.summary.startswith("### ❌ ")
    assert "finite" in ran.summary
    assert "::error title=" in ran.log


def test_an_artifact_that_does_not_run_is_not_compared(runner: Any, commit: Commit) -> None:
    commit(4)
    net = runner.workspace / "net.onnx"
    net.write_bytes(net.read_bytes()[:-200])
    ran = runner.run(**THERE)
    assert ran.code != 0
    assert "Compare with the baseline" not in ran.codes
    assert ran.summary.startswith("### ❌ ")


@pytest.mark.parametrize(
    ("if_missing", "code", "verdict"), [("fail", 2, "error"), ("warn", 0, "missing")]
)
def test_a_pull_request_saves_no_baseline(
    runner: Any, commit: Commit, if_missing: str, code: int, verdict: str
) -> None:
    commit(4)
    ran = runner.run(**PULL_REQUEST, **THERE, if_missing=if_missing)
    assert (ran.code, ran.outputs["verdict"]) == (code, verdict), ran.log
    assert "no baseline 'main'" in ran.summary
    assert "✅" not in ran.summary
    assert names(runner) == []


@pytest.mark.parametrize(
    ("event", "ref"),
    [
        ("push", "refs/heads/other"),
        ("push", "refs/tags/main"),
        ("schedule", "refs/heads/main"),
        ("pull_request_target", "refs/heads/main"),
    ],
)
def test_no_other_event_saves_one(runner: Any, commit: Commit, event: str, ref: str) -> None:
    commit(4)
    ran = runner.run(event, ref, **THERE)
    assert ran.code == 2
    assert names(runner) == []


def test_what_a_file_or_an_input_is_called_runs_nothing(runner: Any, save_net: Any) -> None:
    hostile = "$(touch gone) `touch gone`; touch gone #\n::error::x.onnx"
    save_net(runner.workspace / hostile, 4)
    ran = runner.run(
        install="false", candidate=hostile, compare_arguments="'$(touch gone)'; touch gone"
    )
    assert ran.code == 2
    assert not (runner.workspace / "gone").exists()
    assert not [line for line in ran.log.splitlines() if line.startswith("::error::x")]
    # One that can be stored: the same without what no file is called everywhere.
    storable = hostile.replace(":", "")
    save_net(runner.workspace / storable, 4)
    ran = runner.run(install="false", candidate=storable)
    assert (ran.code, ran.outputs["verdict"]) == (0, "saved"), ran.log
    assert not (runner.workspace / "gone").exists()
    assert len(ran.summary.splitlines()) == 3


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, "needs one of the inputs model and candidate"),
        ({"model": "a.onnx", "candidate": "b.onnx"}, "needs one of the inputs"),
        ({"model": "gone.onnx"}, "gone.onnx"),
        ({"candidate": "net.onnx", "timeout": "soon"}, "timeout is 'soon': give it seconds"),
        ({"candidate": "net.onnx", "compare-arguments": "'"}, 'compare-arguments is "\'"'),
        ({"candidate": "net.onnx", "if-missing": "save"}, "the input if-missing is 'save'"),
        ({"candidate": "net.onnx", "max-slowdown": "3"}, "--max-slowdown is '3'"),
        ({"model": "net.onnx", "precision": "fp32,fp16"}, "convert made 2 artifacts"),
        ({"candidate": "net.onnx", "report": "net.onnx"}, "net.onnx is a file"),
    ],
)
def test_what_is_wrong_is_an_annotation_and_exit_code_2(
    runner: Any, commit: Commit, inputs: dict[str, str], told: str
) -> None:
    commit(4)
    ran = runner.run(install="false", **inputs)
    assert ran.code == 2, ran.log
    (line,) = {line for line in ran.log.splitlines() if line.startswith("::error ")}
    assert told in line
    assert "Traceback" not in ran.log


@pytest.mark.slow
def test_it_installs_itself(runner: Any, tmp_path: Path, action: dict[str, Any]) -> None:
    """From its own folder; what it needs is lent by this environment, but what builds it is not."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    (lent,) = venv.glob("lib/python*/site-packages")
    (lent / "lent.pth").write_text(f"{Path(onnx.__file__).parents[1]}\n")
    runner.environment["PATH"] = f"{venv / 'bin'}{os.pathsep}{runner.environment['PATH']}"
    runner.environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    ran = runner.run(candidate="gone.onnx", extras="tflite")
    assert ran.codes["Install EdgeOpt"] == 0, ran.log
    assert (lent / "edgeopt" / "integrations" / "github" / "__main__.py").is_file()
    assert ran.codes["Smoke test"] == 2


def test_every_action_that_is_used_is_pinned(action: dict[str, Any]) -> None:
    used = [step["uses"] for step in action["runs"]["steps"] if "uses" in step]
    assert len(used) == 7
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", each) for each in used)


def test_each_input_is_described_and_read(action: dict[str, Any]) -> None:
    from edgeopt.integrations.github.inputs import Inputs

    assert all(each["description"] for each in action["inputs"].values())
    told = {name.replace("_", "-") for name in Inputs.__struct_fields__}
    assert action["inputs"].keys() - told == {"python-version", "install", "extras"}
    text = Path(__file__).parents[3].joinpath("action.yml").read_text(encoding="utf-8")
    assert all(f"inputs.{each}" in text for each in ("python-version", "install", "extras"))
