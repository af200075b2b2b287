"""Artifacts for TFLite Micro come with what a firmware needs of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import OutputError, UnsupportedError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import read_manifest
from edgeopt.core.on_device import Firmware
from tests.conftest import Save

NAMES = ["conv_net.int8.stm32.cc", "conv_net.int8.stm32.h", "conv_net.int8.stm32.ops.h"]


def _converted(net: Path, data: Path, output: Path, **options: Any) -> Firmware:
    made = edgeopt.convert(
        net, to="tflite", precision="int8", calibration=data, target="stm32", output=output,
        layout="nhwc", **options,
    )  # fmt: skip
    (artifact,) = made.artifacts
    assert read_manifest(Path(artifact.path)) == artifact.manifest
    assert artifact.manifest.firmware is not None
    return artifact.manifest.firmware


def test_files_arena_and_operators(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    if find_spec("tflite_micro") is None and not os.environ.get("CI"):
        pytest.skip("tflite-micro is not installed: pip install 'edgeopt[micro]'")
    output = tmp_path / "out"
    found = _converted(conv_net, conv_data, output)
    assert [file.name for file in found.files] == NAMES
    for file in found.files:
        assert (sha256(output / file.name), (output / file.name).stat().st_size) == (
            file.sha256, file.size_bytes,
        )  # fmt: skip
    assert {"AddConv2D", "AddDepthwiseConv2D", "AddFullyConnected"} <= {*found.operators}
    # The largest two activations, of 8x8 with 8 channels, have to be there together.
    assert found.arena_bytes is not None
    assert 2 * 8 * 8 * 8 < found.arena_bytes < 1 << 16
    assert found.sqnr_db is None or found.sqnr_db > 40
    assert f"_arena_size = {found.arena_bytes};" in (output / NAMES[1]).read_text()
    before = [(output / name).read_bytes() for name in NAMES]
    assert _converted(conv_net, conv_data, output) == found
    assert [(output / name).read_bytes() for name in NAMES] == before


def test_without_the_interpreter_the_arena_is_not_known(
    conv_net: Path, conv_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeopt.converters.micro.firmware.interpreter", lambda: None)
    found = _converted(conv_net, conv_data, tmp_path / "out")
    assert (found.arena_bytes, found.interpreter) == (None, None)
    assert "pip install 'edgeopt[micro]'" in found.absent
    assert found.absent in (tmp_path / "out" / NAMES[1]).read_text()


def test_an_artifact_for_another_target_leaves_no_firmware_beside_it(
    conv_net: Path, tmp_path: Path
) -> None:
    # The name of an fp32 file carries no target: the next conversion takes its place.
    output = tmp_path / "out"
    edgeopt.convert(conv_net, to="tflite", target="stm32", output=output)
    firmware = sorted(output.glob("conv_net.fp32.[cho]*"))
    assert len(firmware) == 3
    firmware[0].write_text("changed by hand")
    edgeopt.convert(conv_net, to="tflite", target="arm64", output=output)
    left = {path.name for path in output.iterdir()}
    assert left == {"conv_net.fp32.tflite", "conv_net.fp32.tflite.json", firmware[0].name}


def test_a_file_of_somebody_else_is_not_replaced(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    _converted(conv_net, conv_data, output)
    (output / NAMES[0]).write_text("mine")
    with pytest.raises(OutputError, match=r"int8\.stm32\.cc: is there already"):
        _converted(conv_net, conv_data, output)
    assert (output / NAMES[0]).read_text() == "mine"
    _converted(conv_net, conv_data, output, force=True)
    assert (output / NAMES[0]).read_text() != "mine"


def test_an_operator_that_micro_lacks_is_refused_before_any_work(
    save_model: Save, tmp_path: Path
) -> None:
    node = helper.make_node("Gelu", ["x"], ["y"], "gelu")
    ends = [("x", TensorProto.FLOAT, [1, 8])], [("y", TensorProto.FLOAT, [1, 8])]
    net = save_model([node], *ends, opset=20)

    read: list[int] = []

    def data() -> Any:
        read.append(1)
        yield {"x": np.zeros((8,), np.float32)}

    with pytest.raises(UnsupportedError, match=r"TFLite Micro can't run it: it has no GELU"):
        edgeopt.convert(
            net, to="tflite", precision="int8", calibration=data, target="stm32",
            output=tmp_path / "out",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    assert read == []


def test_below_its_floor_there_is_no_firmware(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(edgeopt.EdgeOptError, match="below"):
        _converted(conv_net, conv_data, tmp_path / "out", min_sqnr=200)
    assert list((tmp_path / "out").glob("*.cc")) == []


def test_the_command_line_tells(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgeopt", "convert", str(conv_net), "--to", "tflite"]
    options = ["--target", "stm32", "--layout", "nhwc", "-o", str(tmp_path / "out")]
    run = {"capture_output": True, "text": True, "check": True}
    ran = subprocess.run([*command, *options], **run)  # type: ignore[call-overload]
    assert "conv_net.fp32.cc, conv_net.fp32.h, conv_net.fp32.ops.h" in ran.stdout
    ran = subprocess.run([*command, *options, "--json"], **run)  # type: ignore[call-overload]
    (artifact,) = json.loads(ran.stdout)["artifacts"]
    assert len(artifact["manifest"]["firmware"]["files"]) == 3
