"""``edgeopt validate`` as a user, and a pipeline, runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

Run = Callable[..., Any]


@pytest.fixture
def bad_data(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Data for ``conv_net`` with a NaN and a duplicate."""
    images = rng.standard_normal((120, 3, 8, 8)).astype(np.float32)
    images[3, 0, 0, 0] = np.nan
    images[9] = images[8]
    np.savez(tmp_path / "bad.npz", image=images)
    return tmp_path / "bad.npz"


@pytest.fixture
def artifact(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    ran = run("convert", conv_net, "--precision", "int8", "--calibration", conv_data, "-o", out)
    assert ran.code == 0
    return out / "conv_net.int8.onnx"


def test_a_table_of_the_checks_of_data(run: Run, example: Path) -> None:
    ran = run("validate", "data", example / "calibration.npz", "--evaluation", example / "test.npz")
    assert (ran.code, ran.err) == (0, "")
    head, checks, result = ran.out.split("\n\n")
    assert head.splitlines()[1].endswith("test.npz: 2,000 samples of 10 classes")
    rows = [line.split("  ")[0] for line in checks.splitlines()[2:]]
    assert rows[:3] == ["samples", "fits (image)", "finite (image)"]
    assert rows[-2:] == ["drift (evaluation: image)", "outside (evaluation: image)"]
    assert result.startswith("Result: PASS (15 pass)")


def test_a_failed_check_is_exit_code_1_and_ci_reads_why(
    run: Run, bad_data: Path, conv_net: Path, tmp_path: Path
) -> None:
    summary, junit = tmp_path / "summary.md", tmp_path / "report.xml"
    summary.write_text("before\n")
    ran = run(
        *("validate", "data", bad_data, "--model", conv_net, "--json", "--annotations", "github"),
        *("--summary", summary, "--junit", junit),
    )
    assert ran.code == 1
    assert ran.json["level"] == "fail"
    assert ran.json["schema"] == "edgeopt.validate.data/1"
    annotation, error = ran.err.splitlines()
    assert annotation.startswith("::error title=fail")
    assert error.startswith("Error: ")
    assert "finite (image): in 1 of 120 samples, the first of them bad.npz[3]" in error
    told = summary.read_text(encoding="utf-8").splitlines()
    assert told[0] == "before"
    assert told[1].startswith("### ❌ fail: ")
    assert told[3].startswith(r"**finite \(image\): in 1 of 120 samples")
    assert any(line.startswith("- ⚠️ **duplicates**: there before") for line in told)
    suite = Xml.parse(junit).getroot()
    assert (suite.attrib["name"], suite.attrib["failures"]) == ("edgeopt validate data", "1")
    ends = {case.attrib["name"]: case for case in suite}
    assert ends["finite (image)"].find("failure") is not None
    assert "warning: there before" in (ends["duplicates"].findtext("system-out") or "")


def test_a_warning_is_exit_code_0_unless_strict(run: Run, bad_data: Path) -> None:
    with np.load(bad_data) as stored:
        np.savez(bad_data, image=np.nan_to_num(stored["image"]))
    ran = run("validate", "data", bad_data)
    assert (ran.code, ran.err) == (0, "")
    assert "duplicates: warn: there before, bit for bit: bad.npz[9] = bad.npz[8]." in ran.out
    assert run("validate", "data", bad_data, "--strict").code == 1


def test_bad_input_is_one_line_and_exit_code_2(
    run: Run, tmp_path: Path, conv_net: Path, bad_data: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    np.savez(tmp_path / "labels.npz", image=np.zeros((20, 3, 8, 8)), labels=np.arange(20))
    np.savez(tmp_path / "count.npz", image=np.zeros((20, 3, 8, 8)), labels=np.arange(9))
    np.savez(tmp_path / "name.npz", picture=np.zeros((20, 3, 8, 8)))
    for data, told in {
        "empty": "no images in it",
        "gone.npz": "no such file",
        "broken.npz": "not a readable .npz",
        "labels.npz": "are no class, such as 5: there are classes 0 to 4",
        "count.npz": "different numbers of samples (image: 20, labels: 9)",
        "name.npz": "no array named 'image'",
    }.items():
        ran = run(
            *("validate", "data", tmp_path / data, "--model", conv_net, "--scale", "1"),
            *("--junit", tmp_path / "j.xml"),
        )
        assert (ran.code, ran.out) == (2, ""), data
        assert told in ran.line
        assert not (tmp_path / "j.xml").exists()
    ran = run("validate", "data", bad_data, "--model", "gone.onnx")
    assert (ran.code, ran.out) == (2, "")
    assert "gone.onnx: no such file" in ran.line
    ran = run("validate", "data", bad_data, "--table", bad_data)
    assert "not a readable calibration table (it holds other arrays)" in ran.line


def test_a_report_that_cannot_be_written_is_told_before_anything_is_read(
    run: Run, bad_data: Path, tmp_path: Path
) -> None:
    ran = run("validate", "data", bad_data, "--summary", tmp_path / "nowhere" / "s.md")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no folder" in ran.line


def test_code_is_not_run_where_it_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("raise SystemExit(7)\n")
    for name in ("own.py:samples", "own.py:other"):
        ran = run("validate", "data", tmp_path / name, "--no-code")
        assert ran.code == 2
        assert "would run code" in ran.line


def test_a_table_of_the_checks_of_an_artifact(run: Run, artifact: Path) -> None:
    ran = run("validate", "model", artifact)
    assert (ran.code, ran.err) == (0, "")
    head, checks, result = ran.out.split("\n\n")
    assert f"{artifact}: onnx int8, " in head
    assert " on 8 samples of random numbers\n" in head
    assert "Conv 2" in head
    assert len(checks.splitlines()) == 2 + 6
    assert result.startswith("Result: PASS (6 pass)")


def test_an_artifact_that_crashes_is_a_failed_check(
    run: Run, aborting_tflite: Path, tmp_path: Path
) -> None:
    ran = run("validate", "model", aborting_tflite, "--json", "--junit", tmp_path / "j.xml")
    assert ran.code == 1
    assert ran.json["level"] == "fail"
    assert ran.json["runtime"] is None
    assert "the runtime crashed on it (SIGABRT)" in ran.line
    assert Xml.parse(tmp_path / "j.xml").getroot().attrib["failures"] == "1"


def test_an_altered_artifact(run: Run, artifact: Path) -> None:
    artifact.write_bytes(artifact.read_bytes() + b"\0")
    ran = run("validate", "model", artifact)
    assert ran.code == 1
    assert "manifest: " in ran.line
    assert "describes another file" in ran.line


def test_an_artifact_far_from_its_reference(run: Run, artifact: Path, conv_net: Path) -> None:
    ran = run("validate", "model", artifact, "--reference", conv_net, "--min-sqnr", "90")
    assert ran.code == 1
    assert "reference (scores): it is too far from its reference on random inputs" in ran.line
    ran = run("validate", "model", artifact, "--reference", "gone.onnx")
    assert (ran.code, ran.out) == (2, "")
