"""Every precision of TFLite, converted as a user does and read back from the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import GateError
from edgeopt.pipeline.making import Artifact

pytest.importorskip("ai_edge_litert")

Save = Callable[..., Path]
FLOORS = {"fp32": 100, "fp16": 60, "int8": 25, "int8-dynamic": 25, "int8-weight": 35,
          "int4-weight": 15, "int16x8": 35}  # fmt: skip
"""SQNR in dB that a small random net must keep, by precision."""


def convert(model: Path, data: Path, output: Path, precision: str, **options: Any) -> Artifact:
    options = {"to": "tflite", "min_sqnr": -100, "evaluation": data, **options}
    made = edgeopt.convert(model, precision=precision, calibration=data, output=output, **options)
    return made.artifacts[0]


def sqnr(artifact: Artifact) -> float:
    check = artifact.manifest.verification
    assert check is not None
    return np.inf if check.worst.sqnr_db is None else check.worst.sqnr_db


@pytest.mark.parametrize("precision", FLOORS)
def test_each_precision_keeps_its_accuracy(
    conv_net: Path, conv_data: Path, tmp_path: Path, precision: str
) -> None:
    artifact = convert(conv_net, conv_data, tmp_path / "out", precision)
    assert sqnr(artifact) > FLOORS[precision]


def test_int8_is_as_good_as_the_onnx_of_the_same_table(example: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    result = edgeopt.convert(
        example / "model.pt2", to="onnx,tflite", precision="int8", output=tmp_path / "out",
        calibration=example / "calibration.npz", evaluation=example / "test.npz",
    )  # fmt: skip
    onnx, tflite = map(sqnr, result.artifacts)
    assert abs(onnx - tflite) < 0.5


@pytest.mark.parametrize("precision", ["int8", "int16x8", "int8-dynamic", "int8-weight"])
def test_every_scale_in_the_file_is_the_manifests_bit_for_bit(
    conv_net: Path,
    conv_data: Path,
    tmp_path: Path,
    litert: Callable[..., Any],
    precision: str,
) -> None:
    artifact = convert(conv_net, conv_data, tmp_path / "out", precision)
    known = {e.tensor: e for e in artifact.manifest.encodings}
    opened = litert(Path(artifact.path).read_bytes())
    seen = 0
    for detail in opened.get_tensor_details():
        parameters = detail["quantization_parameters"]
        if not parameters["scales"].size or detail["name"] not in known:
            continue
        encoding = known[detail["name"]]
        assert tuple(map(float, parameters["scales"])) == encoding.scale, detail["name"]
        assert tuple(map(int, parameters["zero_points"])) == encoding.zero_point
        assert np.dtype(detail["dtype"]).name == encoding.dtype
        seen += 1
    assert {"w1", "w3"} <= known.keys()
    assert seen == len(known)


def test_half_the_size(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    sizes = {
        precision: convert(conv_net, conv_data, tmp_path / precision, precision).manifest.size_bytes
        for precision in ("fp32", "fp16")
    }
    assert sizes["fp16"] < sizes["fp32"]


def test_what_stays_float_in_int8_dynamic_is_named(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    artifact = convert(conv_net, conv_data, tmp_path / "out", "int8-dynamic")
    (layer,) = artifact.manifest.float_layers
    assert layer.node == "depthwise"
    assert "no hybrid kernel" in layer.reason


def test_nothing_to_quantize_is_an_error(save_model: Save, tmp_path: Path) -> None:
    path = save_model(
        [helper.make_node("Relu", ["x"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 4])],
        [("y", TensorProto.FLOAT, [1, 4])],
        {},
    )
    np.savez(tmp_path / "d.npz", x=np.ones((20, 4), np.float32))
    with pytest.raises(GateError, match="nothing in this model can be int8"):
        convert(path, tmp_path / "d.npz", tmp_path / "out", "int8")
    with pytest.raises(GateError, match="nothing in this model can be int4-weight"):
        convert(path, tmp_path / "d.npz", tmp_path / "out", "int4-weight")


def test_a_kept_layer_is_float(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    artifact = convert(conv_net, conv_data, tmp_path / "out", "int8", keep_float="depthwise")
    (layer,) = artifact.manifest.float_layers
    assert (layer.node, layer.reason) == ("depthwise", "kept float as asked")
    assert artifact.manifest.integer_layers == 2


@pytest.mark.parametrize("precision", FLOORS)
def test_the_same_conversion_gives_the_same_bytes(
    conv_net: Path, conv_data: Path, tmp_path: Path, precision: str
) -> None:
    files = [
        Path(convert(conv_net, conv_data, tmp_path / str(n), precision).path).read_bytes()
        for n in range(2)
    ]
    assert files[0] == files[1]


def test_fp16_keeps_the_numbers_that_float16_has_not(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    width = 32
    constants = {
        "w": rng.standard_normal((width, width)).astype(np.float32),
        "mask": np.full((1, width), -3e38, np.float32),
        "gamma": np.ones(width, np.float32),
        "beta": np.zeros(width, np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Mul", ["hidden", "mask"], ["far"]),  # 0 times -inf would be no number
        helper.make_node("Add", ["a", "far"], ["b"]),
        helper.make_node("LayerNormalization", ["b", "gamma", "beta"], ["y"], epsilon=1e-12),
    ]
    ends = [("x", TensorProto.FLOAT, [1, width]), ("hidden", TensorProto.FLOAT, [1, width])]
    path = save_model(nodes, ends, [("y", TensorProto.FLOAT, [1, width])], constants)
    data = tmp_path / "data.npz"
    x = rng.standard_normal((8, width)).astype(np.float32)
    x[0] = 0  # all alike: only the epsilon keeps its root from being zero
    np.savez(data, x=x, hidden=np.zeros((8, width), np.float32))
    artifact = convert(path, data, tmp_path / "out", "fp16")
    assert sqnr(artifact) > FLOORS["fp16"]
    assert np.isfinite(sqnr(artifact))
