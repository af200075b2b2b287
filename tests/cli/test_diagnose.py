"""``edgeopt diagnose`` as a user runs it; what it finds is tested in tests/pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeopt.core.record import from_json
from edgeopt.pipeline.diagnosis.records import DiagnosisResult

Run = Callable[..., Any]


@pytest.fixture
def artifact(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    run("convert", conv_net, "--precision", "fp32,int8", "--calibration", conv_data,
        "--target", "x86-64", "-o", tmp_path / "out")  # fmt: skip
    return tmp_path / "out" / "conv_net.int8.x86-64.onnx"


def test_the_tables(run: Run, artifact: Path) -> None:
    ran = run("diagnose", artifact)
    assert (ran.code, ran.err) == (0, "")
    told = dict(line.split("  ", 1) for line in ran.out.split("\n\n")[0].splitlines())
    assert told["precision"].strip() == "int8, for x86-64"
    assert told["data"].strip().endswith("which it was verified on")
    rows = {line.split()[0]: line.split() for line in ran.out.splitlines() if line.strip()}
    assert rows["depthwise"][1] in ("Conv", "output", "8")
    assert "conv1       Conv+Clip" in ran.out
    assert "first below 20 dB      none" in ran.out
    assert "QLinearConv" in ran.out or "Conv " in ran.out
    assert "Measured on" in ran.out
    assert ran.out.splitlines()[-4] == "Next: nothing needs to be done"
    assert ran.out.splitlines()[-2].startswith("For more: ")


def test_as_json(run: Run, artifact: Path) -> None:
    ran = run("diagnose", artifact, "--json", "--samples", 2)
    result = from_json(ran.out.encode(), DiagnosisResult, where="stdout")
    assert result.data.used == (36, 38)
    assert result.suggestion.rule == "nothing-to-do"


def test_a_page(run: Run, artifact: Path, tmp_path: Path) -> None:
    page = tmp_path / "diagnosis.html"
    ran = run("diagnose", artifact, "--page", page, "--samples", 2)
    assert ran.code == 0
    assert f"The page is in {page}." in ran.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("diagnose", artifact, "--page", page, "--samples", 2, "--json").code == 0


def test_a_page_never_replaces_what_is_not_ours(run: Run, artifact: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    ran = run("diagnose", artifact, "--page", mine)
    assert (ran.code, ran.out) == (2, "")
    assert "not written by EdgeOpt" in ran.line
    assert mine.read_text(encoding="utf-8") == "mine"
    assert run("diagnose", artifact, "--page", mine, "--force", "--samples", 2).code == 0


def test_random_inputs_are_warned_about(run: Run, artifact: Path, conv_data: Path) -> None:
    conv_data.unlink()
    ran = run("diagnose", artifact, "--samples", 2)
    assert ran.code == 0
    assert "random inputs, which are not real data" in ran.err
    assert "Next: diagnose again with --evaluation" in ran.out


def test_a_bad_artifact_is_one_line(run: Run, conv_net: Path, tmp_path: Path) -> None:
    for name in (conv_net, tmp_path / "missing.onnx"):
        ran = run("diagnose", name)
        assert (ran.code, ran.out) == (2, "")
        assert Path(name).name in ran.line
    told = json.loads(run("diagnose", conv_net, "--json").out)
    assert told["error"]["exit_code"] == 2


def test_a_threshold_marks_layers(run: Run, artifact: Path) -> None:
    ran = run("diagnose", artifact, "--min-sqnr", 200, "--samples", 2)
    assert "* below 200 dB" in ran.out
    assert "first below 200 dB     input image" in ran.out
