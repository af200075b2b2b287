"""Undoing integers in places: the same as converting with the option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeopt.core.ir import ir
from edgeopt.core.runtime import open_session
from edgeopt.pipeline.diagnosis.freeing import Freeing
from edgeopt.pipeline.diagnosis.keeping import keep_16bit, keep_float
from edgeopt.pipeline.diagnosis.records import Keep

Make = Callable[..., Path]


def changed(artifact: Path, keep: Keep, tensor: str, path: Path) -> onnx.ModelProto:
    """The artifact with a change, which the runtime takes."""
    stem = artifact.name.split(".")[0]
    reference, model = ir.load(artifact.with_name(f"{stem}.fp32.onnx")), ir.load(artifact)
    assert Freeing(reference.graph, model.graph).apply(keep, tensor)
    ir.save(model, path)
    open_session(path, emulated=True)
    return onnx.load(path)


def pairs(model: onnx.ModelProto) -> set[str]:
    ends = "_QuantizeLinear"
    return {n.name.removesuffix(ends) for n in model.graph.node if n.name.endswith(ends)}


def test_a_tensor_loses_its_pair_and_gets_its_clamp_back(artifact: Path, tmp_path: Path) -> None:
    before = onnx.load(artifact)
    after = changed(artifact, keep_16bit("conv1"), "r1", tmp_path / "changed.onnx")
    assert "Clip" not in [n.op_type for n in before.graph.node]
    assert [n.op_type for n in after.graph.node].count("Clip") == 1
    assert pairs(before) - pairs(after) == {"r1"}
    readers = {n.name: list(n.input) for n in after.graph.node}
    assert readers["depthwise"][0] == readers["residual"][1] == "float/r1"


def test_a_layer_gets_its_float_weights_back(artifact: Path, tmp_path: Path) -> None:
    model = changed(artifact, keep_float("head"), "scores", tmp_path / "changed.onnx")
    head = next(n for n in model.graph.node if n.name == "head")
    assert list(head.input[1:]) == ["float/w3", "float/b3"]
    assert [o.name for o in model.graph.output] == ["scores"]


@pytest.mark.parametrize("name", ["conv1", "depthwise", "head"])
def test_what_stays_quantized_is_what_a_conversion_leaves(
    conv_net: Path, make: Make, tmp_path: Path, name: str
) -> None:
    artifact = make(conv_net, effort="fast")
    freed = changed(artifact, keep_float(name), "", tmp_path / "changed.onnx")
    converted = make(conv_net, effort="fast", keep_float=[name])
    assert pairs(freed) == pairs(onnx.load(converted))
    image = {"image": np.random.default_rng(3).standard_normal((4, 3, 8, 8)).astype(np.float32)}
    one, other = (
        open_session(path, emulated=True).run(None, image)[0]
        for path in (tmp_path / "changed.onnx", converted)
    )
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * float(np.abs(other).max()))


def test_an_output_of_the_model_keeps_its_name(detector: Path, make: Make, tmp_path: Path) -> None:
    model = changed(make(detector), keep_16bit("head"), "both", tmp_path / "changed.onnx")
    assert [o.name for o in model.graph.output] == ["detections"]


def test_what_is_not_there_cannot_be_freed(artifact: Path) -> None:
    reference, model = (ir.load(p) for p in (artifact.with_name("conv_net.fp32.onnx"), artifact))
    freeing = Freeing(reference.graph, model.graph)
    assert not freeing.free_tensor("c1")
    assert not freeing.free_layer("nobody")
