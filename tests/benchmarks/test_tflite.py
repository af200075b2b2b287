"""Measuring .tflite files, ours and others', beside ONNX and alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeopt
from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.layout import Layout
from edgeopt.core.precision import Format

QUICK = {"duration": 0.02, "processes": 2}


def test_what_it_takes_is_read_from_the_file(tflite_net: Path) -> None:
    artifact = read_artifact(tflite_net)
    assert artifact.format is Format.TFLITE
    assert [str(spec) for spec in artifact.inputs] == ["image:float32[batch,8,8,3]"]
    # Nothing says that this file was made from channels first: its data is as it takes it.
    assert artifact.given() == artifact.inputs


def test_both_runtimes_in_one_report(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = edgeopt.convert(conv_net, to="onnx,tflite", layout="nhwc", output=out)
    labelled = tmp_path / "labelled.npz"
    with np.load(conv_data) as data:
        np.savez(labelled, image=data["image"], labels=np.arange(40) % 5)
    report = edgeopt.benchmark([a.path for a in made.artifacts], evaluation=labelled, **QUICK)  # type: ignore[arg-type]
    assert [m.runtime.name for m in report.measurements] == ["onnxruntime", "litert"]
    assert report.measurements[1].runtime.providers == ("XNNPACK",)
    assert report.ratios[1] is not None
    first, second = (m.accuracy.values for m in report.measurements)
    assert first == second
    assert read_artifact(made.artifacts[1].path).layout is Layout.NHWC


def test_integer_ends_are_fed_floats(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(
        conv_net, to="tflite", precision="int8", io="int8", layout="nhwc", effort="fast",
        calibration=conv_data, output=tmp_path / "out",
    )  # fmt: skip
    artifact = read_artifact(made.artifacts[0].path)
    assert artifact.inputs[0].dtype == "int8"
    assert [str(spec) for spec in artifact.given()] == ["image:float32[batch,3,8,8]"]
    image = np.zeros((1, 3, 8, 8), np.float32)
    stored = artifact.stored({"image": image})["image"]
    assert stored.shape == (1, 8, 8, 3)
    assert stored.dtype == np.int8
    assert (stored == artifact.scales["image"][1]).all()
    (measured,) = edgeopt.benchmark([artifact.path], save=False, **QUICK).measurements  # type: ignore[arg-type]
    assert measured.latency.p50


def test_a_file_that_makes_litert_abort_is_one_line(aborting_tflite: Path) -> None:
    with pytest.raises(ModelError, match=r"aborting\.tflite: the runtime crashed on it \(SIG"):
        edgeopt.benchmark([aborting_tflite], save=False, **QUICK)  # type: ignore[arg-type]


@pytest.mark.parametrize("kept", [0, 7, 100, 0.5, 0.99])
def test_a_truncated_file_is_one_line(tflite_net: Path, kept: float) -> None:
    content = tflite_net.read_bytes()
    tflite_net.write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(ModelError, match=r"conv_net\.tflite: ") as raised:
        edgeopt.benchmark([tflite_net], save=False, **QUICK)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_an_operator_of_somebody_s_own_is_named(custom_tflite: Path) -> None:
    with pytest.raises(UnsupportedError, match="LiteRT lacks its operator FancyOp"):
        edgeopt.benchmark([custom_tflite], save=False, **QUICK)  # type: ignore[arg-type]
