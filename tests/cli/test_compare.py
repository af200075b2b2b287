"""``edgeopt compare`` as a user runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.board import Board

Run = Callable[..., Any]
FEW = ("--duration", "0.02", "--max-processes", "2")


@pytest.fixture
def artifacts(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> tuple[Path, Path]:
    """An fp32 and an int8 artifact."""
    out = tmp_path / "out"
    ran = run(
        *("convert", conv_net, "--precision", "fp32,int8", "--calibration", conv_data, "-o", out)
    )
    assert ran.code == 0
    return out / "conv_net.fp32.onnx", out / "conv_net.int8.onnx"


def test_a_table_with_the_verdict(run: Run, artifacts: tuple[Path, Path]) -> None:
    # Of two processes a verdict may be any; which checks there are is sure.
    ran = run(
        *("compare", *artifacts, *FEW, "--max-slowdown", "900%", "--max-size", "+0%"),
        *("--min-sqnr", "5", "--inconclusive", "pass"),
    )
    head, checks, told = ran.out.split("\n\n")
    assert head.startswith("Measured on ")
    assert "in 2 fresh processes" in head
    names = [line.split()[0] for line in checks.splitlines()]
    assert names[0] == "check"
    assert names[2:] == ["latency", "sqnr", "size"]
    assert "A copy of the baseline came out at" in told
    assert told.splitlines()[-1].startswith("Verdict: ")


def test_a_regression_is_one_line_and_exit_code_1(run: Run, artifacts: tuple[Path, Path]) -> None:
    fp32, int8 = artifacts
    ran = run("compare", fp32, int8, *FEW, "--min-sqnr", "200", "--json")
    assert ran.code == 1
    assert ran.json["verdict"] == "regression"
    (line,) = [each for each in ran.err.splitlines() if each.startswith("Error")]
    assert "is too far from the baseline's" in line


def test_what_ci_reads_is_written_before_the_exit_code(
    run: Run, artifacts: tuple[Path, Path], tmp_path: Path
) -> None:
    summary, junit = tmp_path / "summary.md", tmp_path / "report.xml"
    summary.write_text("before\n")
    ran = run(
        *("compare", *artifacts, *FEW, "--min-sqnr", "200"),
        *("--summary", summary, "--junit", junit, "--json"),
    )
    assert ran.code == 1
    assert summary.read_text(encoding="utf-8").startswith("before\n### ❌ regression: ")
    assert len(ran.json["ratios"]) == ran.json["processes"] == 2
    assert ran.json["baseline"]["runtime"] == ran.json["candidate"]["runtime"]
    assert "```mermaid" in summary.read_text(encoding="utf-8")
    assert b'<failure message="regression: output' in junit.read_bytes()


def test_under_github_actions_the_verdict_is_an_annotation(
    run: Run, artifacts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("compare", *artifacts, *FEW, "--min-sqnr", "200", "--json")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = run(*command)
    assert (ran.code, ran.json["verdict"]) == (1, "regression")  # what is said leaves JSON whole
    (told,) = [line for line in ran.err.splitlines() if line.startswith("::")]
    assert told.startswith("::error title=regression%3A ")
    assert "::error" not in run(*command, "--annotations", "none").err
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::error" not in run(*command).err
    assert "::error" in run(*command, "--annotations", "github").err


def test_a_report_that_cannot_be_written_is_told_before_anything_is_measured(
    run: Run, artifacts: tuple[Path, Path], tmp_path: Path
) -> None:
    for option in ("--summary", "--junit"):
        ran = run("compare", *artifacts, option, tmp_path / "nowhere" / "file")
        assert (ran.code, ran.out) == (2, "")
        assert f"{option} {tmp_path / 'nowhere' / 'file'}: there is no folder" in ran.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--max-slowdown", "3"], "--max-slowdown is '3': write it as in 3%"),
        (["--max-tail", "p95:3%"], "--max-tail is 'p95:3%'"),
        (["--max-size", "10%"], "--max-size is '10%'"),
        (["--max-drop", "1%"], "--max-drop"),
        (["--min-agreement", "2"], "--min-agreement"),
        (["--max-processes", "1"], "--max-processes"),
    ],
)
def test_a_budget_that_is_none(
    run: Run, artifacts: tuple[Path, Path], options: list[str], told: str
) -> None:
    ran = run("compare", *artifacts, *options)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


def test_an_artifact_that_is_gone(run: Run, artifacts: tuple[Path, Path]) -> None:
    ran = run("compare", "gone.onnx", artifacts[0])
    assert ran.code == 2
    assert "gone.onnx: no such file" in ran.err


def test_one_that_cannot_run(run: Run, artifacts: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(artifacts[0].read_bytes()[:-200])
    ran = run("compare", artifacts[0], broken)
    assert ran.code == 2
    assert "broken.onnx" in ran.err


@pytest.mark.skipif(sys.platform != "linux", reason="the board needs an sshd")
def test_on_a_device(run: Run, ssh_knows: Board, artifacts: tuple[Path, Path]) -> None:
    command = ("compare", *artifacts, *FEW, "--threads", "1", "--min-sqnr", "200", "--target")
    ran = run(*command, "arm64@ssh://kitchen")
    assert ran.code == 1
    assert ran.out.startswith("Measured on arm64 (")
    ran = run(*command, "ssh://kitchen", "--json")
    assert ran.code == 1
    assert ran.json["device"]["address"] == "ssh://kitchen"
    assert ran.json["target"] not in ("host", "arm64")
    assert ssh_knows.left() == []


def test_a_target_that_is_none(run: Run, artifacts: tuple[Path, Path]) -> None:
    for target, told in {
        "raspbery-pi-5@ssh://kitchen": "did you mean raspberry-pi-5?",
        "emulated://cortex-a72": "it is emulated",
    }.items():
        ran = run("compare", *artifacts, "--target", target)
        assert (ran.code, ran.out) == (2, "")
        assert told in ran.line


def test_budgets_of_the_project_hold_where_no_option_says_otherwise(
    run: Run, artifacts: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fp32, int8 = artifacts
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgeopt.toml").write_text(
        '[budgets]\nmax-slowdown = "900%"\nmin-sqnr = 200\n[budgets.targets.host]\n'
        'max-size = "1kB"\n'
    )
    ran = run("compare", fp32, int8, *FEW, "--min-sqnr", "5", "--json")
    assert ran.code == 1
    told = {c["name"]: (c["verdict"], c["budget"], c["source"]) for c in ran.json["checks"]}
    assert told["latency"][1:] == ("900%", "edgeopt.toml, budgets")
    assert told["sqnr"] == ("pass", "5 dB", "option")
    assert told["size"] == ("regression", "1kB", "edgeopt.toml, budgets.targets.host")

    ran = run("compare", fp32, int8, *FEW, "--max-size", "9MB", "--summary", "s.md")
    assert ran.code == 1
    line = "Budgets: latency, sqnr from edgeopt.toml, budgets."
    assert line in ran.out
    assert line in (tmp_path / "s.md").read_text(encoding="utf-8").replace("\\", "")

    # From another folder there is none, and one that is named is read wherever one stands.
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    named = run("compare", fp32, int8, *FEW, "--config", "../edgeopt.toml", "--json")
    assert named.json["checks"][0]["source"] == "../edgeopt.toml, budgets"
    ran = run("compare", fp32, int8, *FEW, "--inconclusive", "pass", "--json")
    assert [c["name"] for c in ran.json["checks"]] == ["latency"]
    assert ran.json["checks"][0]["source"] == "default"


def test_a_project_s_file_that_is_wrong_stops_it(
    run: Run, artifacts: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "edgeopt.toml"
    file.write_text('[budgets]\nmax-siz = "1MB"\n')
    for command in (("compare", *artifacts), ("benchmark", artifacts[0])):
        ran = run(*command)
        assert (ran.code, ran.out) == (2, "")
        assert "edgeopt.toml: budgets.max-siz: there is no such key" in ran.line
    file.unlink()
    if sys.platform != "win32":
        file.symlink_to("gone.toml")  # budgets that are missed, not none
        assert run("compare", *artifacts).code == 2
    assert run("compare", *artifacts, "--config", "nowhere.toml").code == 2
