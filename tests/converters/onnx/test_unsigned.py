"""The twin gives what the model gives where sums are exact, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.converters.onnx.unsigned import unsigned_twin
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]


@pytest.mark.parametrize("target", ["x86-64-vnni", "x86-64", "arm64"])
@pytest.mark.parametrize(("net", "data"), [("conv_net", "conv_data"), ("encoder", "texts")])
def test_the_twin_equals_the_original_bit_for_bit(
    request: pytest.FixtureRequest, tmp_path: Path, make: Make, outputs: Outputs,
    net: str, data: str, target: str,
) -> None:  # fmt: skip
    model, samples = (request.getfixturevalue(name) for name in (net, data))
    artifact = make(model, calibration=samples, target=target)
    twin = unsigned_twin(onnx.load(artifact.path))
    # Rows of tables are looked up, not multiplied.
    looked_up = {node.input[0] for node in twin.graph.node if node.op_type == "Gather"}
    weights = [t for t in twin.graph.initializer if t.name not in looked_up]
    assert TensorProto.INT8 not in {t.data_type for t in weights}
    onnx.save(twin, tmp_path / "twin.onnx")
    x = dict(np.load(samples))
    (one,), (two,) = outputs(artifact.path, x, exact=True), outputs(tmp_path / "twin.onnx", x)
    np.testing.assert_array_equal(one, two)


def test_every_weight_keeps_its_distance_to_its_zero_point(
    conv_net: Path, conv_data: Path, make: Make
) -> None:
    original = onnx.load(make(conv_net, calibration=conv_data, target="arm64").path)
    arrays = [
        {t.name: numpy_helper.to_array(t).astype(int) for t in m.graph.initializer}
        for m in (original, unsigned_twin(original))
    ]
    pairs = [n for n in original.graph.node if n.op_type == "DequantizeLinear"]
    weights = [n.input for n in pairs if n.input[0] in arrays[0]]
    assert len(weights) == 6, "three weights, three biases"
    for stored, _, zero in weights:
        before, after = (a[stored] - a[zero].flat[0] for a in arrays)
        np.testing.assert_array_equal(before, after)


def test_integers_that_leave_the_model_are_not_moved(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.INT8, [4])],
        [
            numpy_helper.from_array(np.float32(0.1), "scale"),
            numpy_helper.from_array(np.int8(3), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    assert unsigned_twin(model) == model
