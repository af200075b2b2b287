"""``edgeopt inspect`` as a user runs it; what it finds is tested in tests/pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

Run = Callable[..., Any]
Save = Callable[..., Path]


def test_an_artifact(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    run("convert", conv_net, "--precision", "int8", "--calibration", conv_data, "-o", tmp_path)
    ran = run("inspect", tmp_path / "conv_net.int8.onnx")
    assert (ran.code, ran.err) == (0, "")
    told = dict(line.split("  ", 1) for line in ran.out.split("\n\n")[0].splitlines())
    told = {key: value.strip() for key, value in told.items()}
    assert told["input"] == "image:float32[batch,3,8,8]"
    assert told["integers"].startswith("3 of 3 layers (seen in the runtime's graph)")
    assert told["precision"] == "int8, encoded for x86-64-vnni"
    assert told["scales"].endswith("read back: equal the manifest's, bit for bit")
    assert " dB against the float graph (floor 10)" in told["verified"]
    row = next(line for line in ran.out.splitlines() if line.startswith("depthwise"))
    assert row.split()[:5] == ["depthwise", "Conv", "8x1x3x3", "int8", "integer"]


def test_a_model_of_someone_elses(run: Run, conv_net: Path) -> None:
    ran = run("inspect", conv_net)
    assert ran.code == 0
    assert "none in 3 layers" in ran.out
    assert "not made by EdgeOpt" in ran.out
    assert "8x3x3x3 float32" in ran.out


def test_a_result_as_json(run: Run, conv_net: Path) -> None:
    ran = run("inspect", conv_net, "--json")
    assert ran.json["manifest_state"] == "absent"
    assert [layer["name"] for layer in ran.json["layers"]] == ["conv1", "depthwise", "head"]


def test_a_long_table_is_cut_unless_all_of_it_is_asked_for(run: Run, save_model: Save) -> None:
    names = [f"t{i}" for i in range(81)]
    model = save_model(
        [helper.make_node("MatMul", [a, "w"], [b], b) for a, b in pairwise(names)],
        [("t0", TensorProto.FLOAT, ["n", 4])],
        [("t80", TensorProto.FLOAT, ["n", 4])],
        {"w": np.eye(4, dtype=np.float32)},
    )
    ran = run("inspect", model)
    assert "... and 20 layers more: -v or --json has all of them" in ran.out
    assert ran.out.count("MatMul") == 61
    assert run("inspect", model, "-v").out.count("MatMul") == 81


def test_a_file_that_was_changed_is_told(run: Run, conv_net: Path, tmp_path: Path) -> None:
    run("convert", conv_net, "-o", tmp_path / "out")
    changed = tmp_path / "out" / "conv_net.fp32.onnx"
    model = onnx.load(changed)
    model.producer_name = "someone"
    onnx.save(model, changed)
    ran = run("inspect", changed)
    assert ran.code == 0
    assert "of another file, not believed" in ran.out
    assert "changed since" in ran.line


@pytest.mark.parametrize("name", ["missing.onnx", "cut.onnx", "empty.onnx", "noise.onnx", "m.txt"])
def test_a_bad_file_is_one_line(run: Run, conv_net: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "cut.onnx").write_bytes(conv_net.read_bytes()[:500])
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "noise.onnx").write_bytes(np.random.default_rng(0).bytes(999))
    (tmp_path / "m.txt").write_text("not a model", encoding="utf-8")
    ran = run("inspect", tmp_path / name)
    assert (ran.code, ran.out) == (2, "")
    assert name in ran.line


def test_what_a_format_lacks_is_listed(run: Run, save_model: Callable[..., Path]) -> None:
    net = save_model(
        [
            helper.make_node("Det", ["x"], ["d"], "determinant"),
            helper.make_node("Neg", ["d"], ["y"], "last"),
        ],
        [("x", TensorProto.FLOAT, ["batch", 3, 3])],
        [("y", TensorProto.FLOAT, ["batch"])],
    )
    ran = run("inspect", net, "--for", "tflite")
    assert ran.code == 0
    assert "tflite: 1 node of the float graph map, 1 don't" in ran.out
    assert "  Det determinant: TFLite has no such operator" in ran.out
    told = json.loads(run("inspect", net, "--for", "tflite", "--json").out)
    assert (told["fits"], told["refused"][0]["op"]) == (False, "Det")


def test_nodes_with_one_reason_are_one_line(run: Run, save_model: Callable[..., Path]) -> None:
    net = save_model(
        [helper.make_node("Det", [f"x{n}"], [f"y{n}"], f"det{n}") for n in range(5)],
        [(f"x{n}", TensorProto.FLOAT, [1, 2, 2]) for n in range(5)],
        [(f"y{n}", TensorProto.FLOAT, [1]) for n in range(5)],
    )
    ran = run("inspect", net, "--for", "tflite")
    assert re.search(r"  Det det\d, det\d, det\d and 2 more: TFLite has no such", ran.out)
    assert ran.out.count("TFLite has no such operator") == 1
    assert len(json.loads(run("inspect", net, "--for", "tflite", "--json").out)["refused"]) == 5


def test_input_goes_with_for_only(run: Run, conv_net: Path) -> None:
    ran = run("inspect", conv_net, "--input", "image:float32[1,3,8,8]")
    assert ran.code == 2
    assert "--input goes with --for" in ran.err
