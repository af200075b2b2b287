"""``edgeopt compare --history`` and ``edgeopt history`` as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
FEW = ("--duration", "0.02", "--max-processes", "2", "--max-slowdown", "900%")


@pytest.fixture
def artifact(run: Run, conv_net: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    assert run("convert", conv_net, "--precision", "fp32", "-o", out).code == 0
    return out / "conv_net.fp32.onnx"


def test_comparisons_come_together(
    run: Run, artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, summary = tmp_path / "gate.jsonl", tmp_path / "summary.md"
    words = ("compare", artifact, artifact, *FEW, "--history", history, "--inconclusive", "pass")
    monkeypatch.setenv("GITHUB_SHA", "0123456789abcdef")
    assert run(*words).code == 0
    ran = run(*words, "--label", "second", "--summary", summary, "--json")
    assert ran.json["drift"]["labels"] == ["012345678", "second"]
    assert len(ran.json["drift"]["levels"]) == 2
    assert "Over 2 comparisons the latency has come to" in summary.read_text()
    assert summary.read_text().count("xychart-beta") == 2
    shown = run("history", history)
    assert shown.code == 0
    assert "second" in shown.out
    assert "Over 2 comparisons" in shown.out
    assert len(run("history", history, "--json").json["entries"]) == 2


def test_many_small_steps_are_a_regression(run: Run, artifact: Path, tmp_path: Path) -> None:
    history = tmp_path / "gate.jsonl"
    words = ("compare", artifact, artifact, *FEW, "--history", history, "--inconclusive", "pass")
    assert run(*words).code == 0
    # What was compared before, as if it had come out at 1.3 times and become the baseline.
    entry = json.loads(history.read_text())
    entry["candidate"]["sha256"], entry["baseline"]["sha256"] = entry["baseline"]["sha256"], "0"
    entry["ratio"] = {"point": 9.0, "low": 8.9, "high": 9.1, "confidence": 0.95, "processes": 5}
    history.write_text(json.dumps(entry) + "\n")
    ran = run(*words, "--max-drift", "10%", "--json")
    assert ran.code == 1
    assert ran.json["checks"][-1]["name"] == "drift"
    assert ran.json["checks"][-1]["verdict"] == "regression"
    assert "drift: 2 comparisons add up to more than is allowed" in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--history", "none/gate.jsonl"), "there is no folder none"),
        (("--history", "bad.jsonl"), "bad.jsonl, line 1: no comparison of a history"),
        (("--max-drift", "10%"), "--max-drift needs a history"),
        (("--history", "gate.jsonl", "--max-drift", "lots"), "--max-drift"),
    ],
)
def test_a_mistake_is_told_before_anything_is_measured(
    run: Run,
    artifact: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.jsonl").write_text("no\n")
    ran = run("compare", artifact, artifact, *words)
    assert ran.code == 2
    (line,) = [each for each in ran.err.splitlines() if each.startswith("Error")]
    assert told in line
    assert not Path("gate.jsonl").exists()


def test_a_history_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    ran = run("history", tmp_path / "none.jsonl")
    assert ran.code == 2
    assert "there is no such file" in ran.err
