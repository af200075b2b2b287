"""``edgeopt convert`` as a user runs it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeopt.core.preprocessing import Preprocessing
from edgeopt.pipeline.convert import ConvertResult

Run = Callable[..., Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the pipeline was asked for; it makes nothing."""
    found: dict[str, Any] = {}

    def convert(model: str, **options: Any) -> ConvertResult:
        found.update(options, model=model)
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeopt.pipeline.convert.convert", convert)
    return found


def test_three_precisions(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run(
        *("convert", conv_net, "--precision", "fp32,fp16,int8"),
        *("--calibration", conv_data, "-o", out),
    )
    assert ran.code == 0
    assert sorted(p.name for p in out.iterdir()) == sorted(
        f"conv_net.{p}.onnx{s}" for p in ("fp32", "fp16", "int8") for s in ("", ".json")
    )
    titles, _, *rows = ran.out.splitlines()
    assert titles.split() == [
        *("file", "format", "precision", "size", "SQNR", "agreement", "max", "abs", "error"),
        *("integer", "layers"),
    ]
    assert [row.split()[2] for row in rows[:3]] == ["fp32", "fp16", "int8"]
    assert "3/3" in rows[2]
    assert "encoded for x86-64-vnni and calibrated on 36 of the 40 samples" in ran.out
    assert re.search(r"^conv_net\.int8\.onnx took \d+\.\d s at --effort default\.$", ran.out, re.M)
    assert f"The artifacts are in {out}" in ran.out
    assert ran.err.startswith("Warning: ")


def test_a_result_as_json(run: Run, conv_net: Path, tmp_path: Path) -> None:
    ran = run("convert", conv_net, "-o", tmp_path / "out", "--json")
    assert ran.code == 0
    (artifact,) = ran.json["artifacts"]
    beside = tmp_path / "out" / "conv_net.fp32.onnx.json"
    assert artifact["manifest"] == json.loads(beside.read_text())


def test_random_inputs_are_admitted(run: Run, conv_net: Path, tmp_path: Path) -> None:
    ran = run("convert", conv_net, "-o", tmp_path / "out")
    assert "on 8 random samples (seed 0), which are not real data" in ran.out
    assert "Warning: verified on random inputs" in ran.err
    quiet = run("convert", conv_net, "-o", tmp_path / "out", "-q")
    assert (quiet.out, quiet.err) == (ran.out, "")


def test_without_verification(run: Run, conv_net: Path, tmp_path: Path) -> None:
    ran = run("convert", conv_net, "-o", tmp_path / "out", "--no-verify")
    assert (ran.code, ran.err) == (0, "")
    assert "fp32 is not verified." in ran.out


def test_a_floor_that_is_not_reached(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    ran = run(
        *("convert", conv_net, "--precision", "int8", "--calibration", conv_data),
        *("-o", tmp_path / "out", "--min-sqnr", "70", "--json"),
    )
    assert ran.code == 1
    assert ran.json["error"]["type"] == "VerificationError"
    assert (tmp_path / "out" / "conv_net.int8.onnx.failed").is_file()


def test_a_failure_shows_what_was_made_all_the_same(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    ran = run(
        *("convert", conv_net, "--precision", "fp32,int8", "--calibration", conv_data),
        *("-o", tmp_path / "out", "--min-sqnr", "70"),
    )
    assert ran.code == 1
    assert "conv_net.fp32.onnx " in ran.out
    failed = tmp_path / "out" / "conv_net.int8.onnx.failed"
    assert f"{failed.name} " in ran.out
    assert f"`edgeopt diagnose {failed}` says where it is lost" in ran.err.splitlines()[-1]


def test_the_defaults_are_the_pipelines(run: Run, asked: dict[str, Any]) -> None:
    assert run("convert", "m.onnx").code == 130
    del asked["progress"]
    assert asked == {
        "model": "m.onnx", "to": None, "precision": "fp32", "calibration": None,
        "evaluation": None, "output": "out", "input": (), "weights": None, "preprocess": None,
        "min_sqnr": None, "verify": True, "force": False, "code": True, "ranges": "auto",
        "table": None, "effort": None, "keep_float": "", "keep_16bit": "", "max_drop": None,
        "min_agreement": None, "search_time": 300.0, "replay": None, "accuracy": "top1",
        "layout": None, "io": None, "signature": None, "via": None, "build_memory": None,
        "build_timeout": 900.0, "timing_cache": None,
    }  # fmt: skip


def test_every_option_arrives_in_any_order(run: Run, asked: dict[str, Any]) -> None:
    run(
        *("convert", "--precision", "fp32", "--force", "--no-code", "--input", "a:float32[1]"),
        *("net.py:make", "--precision", "int8,fp16", "--weights", "w.pt", "--no-verify"),
        *("--input", "b=1", "--min-sqnr", "20", "--target", "arm64", "--calibration", "c.npz"),
        *("--evaluation", "e.npz", "-o", "there", "--ranges", "l2"),
        *("--table", "t.npz", "--effort", "high", "--keep-float", "a,b*", "--keep-16bit", "c"),
        *("--max-drop", "0.5pp", "--min-agreement", "99%", "--search-time", "9"),
        *("--replay", "s.json", "--accuracy", "top5"),
        *("--layout", "nhwc", "--io", "int8", "--signature", "serve"),
        *("--to", "tflite,tensorrt", "--via", "tensorflow", "--build-memory", "2GB"),
        *("--build-timeout", "60", "--timing-cache", "k.bin"),
    )
    del asked["progress"]
    assert asked == {
        "model": "net.py:make", "to": "tflite,tensorrt", "precision": "fp32,int8,fp16",
        "calibration": "c.npz", "evaluation": "e.npz", "output": "there", "target": "arm64",
        "input": ("a:float32[1]", "b=1"), "weights": "w.pt", "preprocess": None,
        "min_sqnr": 20.0, "verify": False, "force": True, "code": False, "ranges": "l2",
        "table": "t.npz", "effort": "high", "keep_float": "a,b*", "keep_16bit": "c",
        "max_drop": "0.5pp", "min_agreement": "99%", "search_time": 9.0, "replay": "s.json",
        "accuracy": "top5", "layout": "nhwc", "io": "int8", "signature": "serve",
        "via": "tensorflow", "build_memory": "2GB", "build_timeout": 60.0, "timing_cache": "k.bin",
    }  # fmt: skip


def test_the_preprocessing_options_make_the_contract(run: Run, asked: dict[str, Any]) -> None:
    run(
        *("convert", "m.onnx", "--resize", "256x320", "--crop", "224", "--scale", "1/255"),
        *("--mean", "0.5,0.25,-1", "--std", "0.5", "--color", "bgr", "--interpolation", "bicubic"),
    )
    assert asked["preprocess"] == Preprocessing(
        resize=(256, 320),
        crop=224,
        scale=1 / 255,
        mean=(0.5, 0.25, -1.0),
        std=(0.5,),
        color="bgr",
        interpolation="bicubic",
    )


def test_the_contract_from_a_file(run: Run, asked: dict[str, Any], tmp_path: Path) -> None:
    contract = tmp_path / "p.toml"
    contract.write_text("resize = 256\nmean = [1.0, 2.0, 3.0]\n", encoding="utf-8")
    run("convert", "m.onnx", "--preprocess", contract)
    assert asked["preprocess"] == Preprocessing(resize=256, mean=(1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--preprocess", "p.toml", "--crop", "3"], "--preprocess and --crop don't go together"),
        (["--preprocess", "nope.toml"], "nope.toml: No such file"),
        (["--mean", "1,2"], "--mean has 2 values, but rgb has 3 channels"),
        (["--std", "0"], "--std must not be 0"),
        (["--mean", "red"], "'red' is not a number"),
        (["--scale", "1/0"], "'1/0' is not a number"),
        (["--resize", "0"], "'0' is no size"),
        (["--resize", "2x"], "'2x' is no size"),
        (["--resize", "320,240"], "write 256 for the shorter side, or height and width as 224x320"),
        (["--crop", "-4"], "'-4' is not a number of pixels"),
        (["--precision", "int4"], "no precision 'int4'"),
        (["--precision", ""], "--precision is empty"),
        (["--to", "tflight"], "no format 'tflight'"),
        (["--precision", "int8"], "int8 needs calibration data"),
        (["--calibration", "nope.npz"], "nope.npz: no such file"),
        (["--target", "x86"], "did you mean x86-64?"),
        (["--input", "image"], "--input 'image' isn't understood"),
    ],
)
def test_a_wrong_option_is_one_line(
    run: Run, conv_net: Path, tmp_path: Path, options: list[str], told: str
) -> None:
    ran = run("convert", conv_net, "-o", tmp_path / "out", *options)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("net.tflite", "name the model that it was made from"),
        ("net.zip", "unpack it"),
        ("net.py", "net.py:net"),
        ("net.safetensors", "file.py:factory --weights"),
        ("net.txt", "a model is a .pt2"),
    ],
)
def test_a_file_of_another_kind_is_told_what_to_do(
    run: Run, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / name).write_text("?")
    ran = run("convert", tmp_path / name, "-o", tmp_path / "out")
    assert ran.code == 2
    assert told in ran.line


@pytest.mark.parametrize(
    "name",
    ["missing.onnx", "cut.onnx", "empty.onnx", "no.such", "net.py:f", "https://example.org/n.onnx"],
)
def test_a_bad_model_is_one_line(run: Run, conv_net: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "cut.onnx").write_bytes(conv_net.read_bytes()[:500])
    (tmp_path / "empty.onnx").write_bytes(b"")
    ran = run("convert", tmp_path / name, "-o", tmp_path / "out")
    assert (ran.code, ran.out) == (2, "")
    assert name.partition(":")[0] in ran.line
    assert not (tmp_path / "out").exists()
