"""trtexec's command lines and what it writes: recorded output (see recorded/README.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeopt.converters.tensorrt.device import trtexec
from edgeopt.converters.tensorrt.device.failure import Failure
from edgeopt.converters.tensorrt.device.layers import arithmetic, described, layer_of

RECORDED = Path(__file__).with_name("recorded")
SHAPES = {"image": [[1, 3, 8, 8], [4, 3, 8, 8], [8, 3, 8, 8]], "mask": [[1, 8]] * 3}


def request(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "onnx": "model.onnx", "engine": "model.engine", "profiles": SHAPES, "memory": None,
        "timing_cache": None,
    }  # fmt: skip
    return {**known, **changes}


def test_building_with_10() -> None:
    command = trtexec.build_command("trtexec", (10, 3, 0), request(), "layers.json")
    assert command == [
        "trtexec", "--onnx=model.onnx", "--saveEngine=model.engine", "--skipInference",
        "--profilingVerbosity=detailed", "--exportLayerInfo=layers.json", "--stronglyTyped",
        "--minShapes=image:1x3x8x8,mask:1x8", "--optShapes=image:4x3x8x8,mask:1x8",
        "--maxShapes=image:8x3x8x8,mask:1x8",
    ]  # fmt: skip


def test_building_with_11_names_no_precision() -> None:
    asked = request(profiles={}, memory=2 << 30, timing_cache="timings")
    command = trtexec.build_command("trtexec", (11, 0, 0), asked, "layers.json")
    assert command[-2:] == ["--memPoolSize=workspace:2048M", "--timingCacheFile=timings"]
    assert not {"--stronglyTyped", "--fp16", "--int8", "--best"} & {*command}


def test_timing_is_at_the_usual_shapes() -> None:
    command = trtexec.time_command("trtexec", "model.engine", SHAPES, 5, "times.json")
    assert command == [
        "trtexec", "--loadEngine=model.engine", "--duration=5", "--warmUp=500",
        "--exportTimes=times.json", "--shapes=image:4x3x8x8,mask:1x8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v100300] [b30] # trtexec --help", (10, 3, 0)),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v101303] # trtexec", (10, 13, 3)),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # trtexec", (8, 6, 1)),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v110000] # trtexec", (11, 0, 0)),
    ],
)
def test_its_version(words: str, version: tuple[int, ...]) -> None:
    assert trtexec.version_of(words) == version


def test_a_version_that_it_does_not_tell() -> None:
    with pytest.raises(Failure, match="doesn't say its version"):
        trtexec.version_of("command not found")


def test_recorded_times() -> None:
    times = trtexec.read_times((RECORDED / "times.json").read_text())
    assert times["compute"] == times["latency"] == [0.27832, 0.277344, 0.278809]
    assert times["h2d"] == times["d2h"] == [0, 0, 0]


def test_recorded_layers() -> None:
    layers = trtexec.read_graph((RECORDED / "graph.json").read_text())
    found = layer_of(layers, "/conv1/Conv")
    assert found is not None
    assert described(found) == {
        "name": "/conv1/Conv + /relu/Relu", "kind": "CaskConvolution", "precision": "float16",
        "weights": "float16", "nodes": ["/conv1/Conv", "/relu/Relu"],
    }  # fmt: skip


def test_recorded_layers_in_int8() -> None:
    quantize, conv = trtexec.read_graph((RECORDED / "int8_graph.json").read_text())
    assert (arithmetic(quantize), quantize["outputs"]) == ("float32", ["int8"])
    assert (arithmetic(conv), conv["constants"]) == ("int8", ["int8"])


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "trtexec"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert trtexec.find() == str(command)
    monkeypatch.setenv(trtexec.VARIABLE, str(tmp_path / "elsewhere"))
    assert trtexec.find() is None
    monkeypatch.setenv(trtexec.VARIABLE, str(command))
    assert trtexec.find() == str(command)
