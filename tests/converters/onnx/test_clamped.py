"""Which layers are clamped, by what, and whose bias is whose."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.onnx.clamped import ClampedLayer, clamped_layers, constant
from edgeopt.converters.simplify import simplify
from edgeopt.core.ir import ir
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Save = Callable[..., Path]


@pytest.fixture
def found(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, make: Make
) -> dict[str, ClampedLayer]:
    """The clamped layers, by name, of a net with one of each kind; two share a bias."""
    constants = {
        **{n: rng.standard_normal((6, 6, 1, 1)).astype(np.float32) for n in ("w1", "w2", "w3")},
        "w0": rng.standard_normal((6, 3, 1, 1)).astype(np.float32),
        "b": rng.standard_normal(6).astype(np.float32),
        "one": np.float32(1),
        "five": np.float32(5),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b"], ["c0"], "relu_behind"),
        helper.make_node("Relu", ["c0"], ["r0"], "relu"),
        helper.make_node("Conv", ["r0", "w1", "b"], ["c1"], "clip_behind"),
        helper.make_node("Clip", ["c1", "one", "five"], ["r1"], "clip"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "without_bias"),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("Conv", ["r2", "w3", "b"], ["y"], "nothing_behind"),
    ]
    path = save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 6, 4, 4])],
        constants,
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 4, 4)).astype(np.float32))
    floats = simplify(path, tmp_path / "float.onnx", "net").path
    artifact = make(path, calibration=tmp_path / "d.npz", effort="fast")
    layers = clamped_layers(ir.load(floats).graph, ir.load(artifact.path).graph)
    return {layer.node.name or "": layer for layer in layers}


def test_only_layers_with_a_bias_and_a_clamp_are_found(found: dict[str, ClampedLayer]) -> None:
    assert list(found) == ["relu_behind", "clip_behind"]


def test_the_narrower_of_clamp_and_integers_cuts_off(found: dict[str, ClampedLayer]) -> None:
    assert found["relu_behind"].low == 0
    assert 0 < found["relu_behind"].high < math.inf
    assert found["clip_behind"].low == pytest.approx(1)
    assert found["clip_behind"].high == pytest.approx(5, abs=0.05)
    assert found["relu_behind"].activation.name == "r0"
    assert found["relu_behind"].channels == 6
    assert found["relu_behind"].axis == 1


def test_a_shared_bias_becomes_one_for_each(found: dict[str, ClampedLayer]) -> None:
    one, two = (found[n].bias for n in ("relu_behind", "clip_behind"))
    before = constant(two.value).copy()
    assert one.value is not two.value
    assert one.move(np.full(6, 1.0))
    np.testing.assert_array_equal(constant(two.value), before)


def test_a_bias_moves_by_whole_steps(found: dict[str, ClampedLayer]) -> None:
    bias = found["relu_behind"].bias
    assert bias.scale is not None
    before = constant(bias.value).astype(np.int64)
    assert before.dtype == np.int64
    assert not bias.move(0.4 * bias.scale * np.ones(6)), "less than half a step is none"
    assert bias.move(7.3 * bias.scale * np.ones(6))
    np.testing.assert_array_equal(constant(bias.value) - before, 7)


def test_a_bias_stays_within_32_bits(found: dict[str, ClampedLayer]) -> None:
    bias = found["relu_behind"].bias
    assert bias.move(np.full(6, 1e30))
    assert constant(bias.value).dtype == np.int32
    assert (constant(bias.value) == 2**31 - 1).all()
