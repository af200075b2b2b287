"""A probe sees a layer's output where the float graph's means are taken, clamped or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.onnx.clamped import ClampedLayer, clamped_layers
from edgeopt.converters.onnx.probing import ENOUGH, by_channel, picked, probe_of, stride_of
from edgeopt.converters.simplify import simplify
from edgeopt.core.ir import ir
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Save = Callable[..., Path]


@pytest.fixture(params=["pads", "SAME_UPPER", "SAME_LOWER"])
def net(
    request: pytest.FixtureRequest, save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> Path:
    """Two convolutions with clamps on images large enough that places are left out."""
    # What SAME pads depends on the strides, which a probe has others of.
    same = {"auto_pad": request.param}
    padding: dict[str, Any] = {"pads": [1, 1, 1, 1]} if request.param == "pads" else same
    weights = {
        "w1": rng.standard_normal((6, 3, 3, 3)), "b1": rng.standard_normal(6),
        "w2": rng.standard_normal((4, 6, 3, 3)), "b2": rng.standard_normal(4),
    }  # fmt: skip
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 40, 36)).astype(np.float32))
    return save_model(
        [
            helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "one", **padding),
            helper.make_node("Clip", ["c1", "zero", "six"], ["r1"], "relu6"),
            helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "two", strides=[2, 1], **padding),
            helper.make_node("Relu", ["c2"], ["y"], "relu"),
        ],
        [("x", TensorProto.FLOAT, ["n", 3, 40, 36])],
        [("y", TensorProto.FLOAT, ["n", 4, 20, 36])],
        {
            **{n: (0.3 * a).astype(np.float32) for n, a in weights.items()},
            "zero": np.float32(0),
            "six": np.float32(6),
        },
    )


@pytest.fixture
def both(net: Path, make: Make, tmp_path: Path) -> tuple[ir.Model, ir.Model]:
    """The float graph and the QDQ model."""
    floats = simplify(net, tmp_path / "float.onnx", "net").path
    artifact = make(net, calibration=net.with_name("d.npz"), target="x86-64")
    return ir.external_data.load_to_model(ir.load(floats)), ir.load(artifact.path)


def values(model: onnx.ModelProto, names: list[str], x: np.ndarray) -> list[np.ndarray]:
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names)
    session = ort.InferenceSession(model.SerializeToString())
    return [np.asarray(v) for v in session.run(names, {"x": x})]


def seen(layer: ClampedLayer, quantized: ir.Model, x: np.ndarray) -> np.ndarray:
    """What a layer's probe gives, run beside the QDQ model."""
    probe, model = probe_of(layer), ir.to_proto(quantized)
    model.graph.node.extend(probe.nodes)
    model.graph.initializer.extend(probe.constants)
    (found,) = values(model, [probe.nodes[-1].output[0]], x)
    return probe.real(found)


def test_enough_places_are_looked_at(both: tuple[ir.Model, ir.Model]) -> None:
    for layer in clamped_layers(both[0].graph, both[1].graph):
        stride = stride_of(layer)
        assert layer.activation.shape is not None
        _, _, height, width = layer.activation.shape
        assert -(-height // stride) * -(-width // stride) >= ENOUGH  # type: ignore[operator]


@pytest.mark.parametrize("which", [0, 1])
def test_a_probe_gives_the_layers_output_also_beyond_its_clamp(
    both: tuple[ir.Model, ir.Model], net: Path, which: int
) -> None:
    layer = clamped_layers(both[0].graph, both[1].graph)[which]
    x = np.load(net.with_name("d.npz"))["x"][:3]
    found = seen(layer, both[1], x)
    stride = stride_of(layer)
    # Computed in float32 from what the pairs stand for: nothing is clamped or rounded there.
    plain = ir.to_proto(both[1])
    copy = onnx.NodeProto()
    copy.CopyFrom(next(n for n in plain.graph.node if n.name == layer.node.name))
    copy.name, copy.output[:] = "whole", ["whole"]
    plain.graph.node.append(copy)
    (whole,) = values(plain, ["whole"], x)
    expected = whole[:, :, ::stride, ::stride]
    width = layer.high - layer.low
    inside = (expected > layer.low - 0.2 * width) & (expected < layer.high + 0.2 * width)
    step = width * 1.5 / 255 if np.isfinite(width) else 1e-4
    assert found.shape == expected.shape
    assert np.abs(found - expected)[inside].max() <= step
    assert (expected < layer.low).any()
    assert (found < layer.low - step).any()


def test_floats_are_picked_at_the_same_places(both: tuple[ir.Model, ir.Model], net: Path) -> None:
    x = np.load(net.with_name("d.npz"))["x"][:3]
    layers = clamped_layers(both[0].graph, both[1].graph)
    names = [picked(both[0].graph, layer).name or "" for layer in layers]
    found = values(ir.to_proto(both[0]), [*names, *(v.activation.name or "" for v in layers)], x)
    for few, all_of_them, layer in zip(found[:2], found[2:], layers, strict=True):
        stride = stride_of(layer)
        np.testing.assert_array_equal(few, all_of_them[:, :, ::stride, ::stride])


def test_a_products_output_has_its_channels_last(rng: np.random.Generator) -> None:
    y = rng.standard_normal((2, 500, 7))
    found = by_channel(y, -1)
    assert found.shape[0] == 7
    assert ENOUGH <= found.shape[1] < 1000
    assert set(found[3]) <= set(y[..., 3].reshape(-1))
