"""What the Edge TPU would compute, by Coral's published rules; its compiler can't be run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.edge_tpu import DYNAMIC, FLOAT_ENDS
from edgeopt.core.manifest import Manifest
from edgeopt.core.on_device import EdgeTpu
from tests.conftest import Save


def _manifest(net: Path, data: Path, output: Path, **options: Any) -> Manifest:
    made = edgeopt.convert(
        net, to="tflite", precision="int8", calibration=data, target="coral-usb",
        layout="nhwc", output=output, verify=False, **options,
    )  # fmt: skip
    return made.artifacts[0].manifest


@pytest.fixture
def fixed_net(conv_net: Path) -> Path:
    """``conv_net`` with a batch of 1."""
    model = onnx.load(conv_net)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    path = conv_net.with_name("fixed.onnx")
    onnx.save(model, path)
    return path


def test_integer_ends_leave_nothing_on_the_cpu(
    fixed_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    manifest = _manifest(fixed_net, conv_data, tmp_path / "out", io="int8")
    assert manifest.edge_tpu is not None
    assert manifest.edge_tpu.stranded == ()
    assert manifest.edge_tpu.mapped == manifest.edge_tpu.nodes > 4
    assert not {FLOAT_ENDS, DYNAMIC} & {*manifest.warnings}


def test_float_ends_are_told_and_cost_only_themselves(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    manifest = _manifest(conv_net, conv_data, tmp_path / "out")
    assert manifest.edge_tpu is not None
    assert [node.op for node in manifest.edge_tpu.stranded] == ["QUANTIZE", "DEQUANTIZE"]
    assert {FLOAT_ENDS, DYNAMIC} <= {*manifest.warnings}


def test_what_follows_an_operator_that_it_lacks_stays_behind(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    found = _leaky(save_model, tmp_path, rng)
    reasons = {node.op: node.reason for node in found.stranded}
    assert reasons["LEAKY_RELU"] == "the Edge TPU has no LEAKY_RELU"
    assert any("needs what LEAKY_RELU gives" in reason for reason in reasons.values())
    assert 0 < found.mapped < found.nodes


def _leaky(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> EdgeTpu:
    weight = rng.standard_normal((4, 4, 3, 3), dtype=np.float32) / 6
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "first", pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["a"], ["b"], "leaky"),
        helper.make_node("Conv", ["b", "w"], ["c"], "second", pads=[1, 1, 1, 1]),
    ]
    ends = [("x", TensorProto.FLOAT, [1, 4, 8, 8])], [("c", TensorProto.FLOAT, [1, 4, 8, 8])]
    net = save_model(nodes, *ends, {"w": weight})
    data = tmp_path / "data.npz"
    np.savez(data, x=rng.standard_normal((16, 4, 8, 8), dtype=np.float32))
    manifest = _manifest(net, data, tmp_path / "out", io="int8")
    assert manifest.edge_tpu is not None
    return manifest.edge_tpu
