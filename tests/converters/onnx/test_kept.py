"""Mixed graphs: what is kept float or at 16 bits has nothing of 8 bits round it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeopt.core.errors import UsageError
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Operators = Callable[[str], dict[str, str]]
Save = Callable[..., Path]

INTEGER = ("QLinear", "QGemm", "MatMulInteger", "ConvInteger", "DynamicQuantize")


@pytest.fixture
def chain(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> Path:
    """Five layers in a row, each of another kind, with clamps between them."""
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, Any] = {"zero": np.float32(0), "six": np.float32(6)}
    layers: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
        ("Conv", (8, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
        ("Conv", (8, 1, 3, 3), {"pads": [1, 1, 1, 1], "group": 8}),
        ("Conv", (12, 8, 1, 1), {}),
        ("ConvTranspose", (12, 6, 2, 2), {"strides": [2, 2]}),
        ("Conv", (4, 6, 1, 1), {}),
    ]
    value = "x"
    for i, (op, shape, more) in enumerate(layers):
        outputs = shape[1] if op == "ConvTranspose" else shape[0]
        fan = np.prod(shape) / outputs
        constants[f"w{i}"] = (rng.standard_normal(shape) * np.sqrt(2 / fan)).astype(np.float32)
        constants[f"b{i}"] = (0.1 * rng.standard_normal(outputs)).astype(np.float32)
        nodes.append(
            helper.make_node(op, [value, f"w{i}", f"b{i}"], [f"c{i}"], f"layer{i}", **more)
        )
        value = f"c{i}"
        if i < 4:
            clamp = ("Relu", ["c0"]) if i == 0 else ("Clip", [value, "zero", "six"])
            nodes.append(helper.make_node(*clamp, [f"r{i}"], f"clamp{i}"))
            value = f"r{i}"
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((24, 3, 8, 8)).astype(np.float32))
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [(value, TensorProto.FLOAT, ["n", 4, 16, 16])],
        constants,
        name="chain.onnx",
    )


def around(path: str, name: str) -> list[str]:
    """The operators whose results a node reads."""
    nodes = onnx.load(path).graph.node
    made = {o: n for n in nodes for o in n.output}
    node = next(n for n in nodes if n.name == name)
    return [made[i].op_type for i in node.input if i in made]


def weights_of(path: str, name: str) -> np.ndarray:
    graph = onnx.load(path).graph
    node = next(n for n in graph.node if n.name == name)
    return next(onnx.numpy_helper.to_array(t) for t in graph.initializer if t.name == node.input[1])


@pytest.mark.parametrize("kept", ["layer0", "layer1", "layer2", "layer4", "layer1,layer2"])
def test_layers_kept_float_are_float_in_the_runtime(
    chain: Path, make: Make, outputs: Outputs, operators: Operators, kept: str
) -> None:
    names = set(kept.split(","))
    data = chain.with_name("d.npz")
    artifact = make(chain, calibration=data, keep_float=kept, target="x86-64")
    found = operators(artifact.path)
    model = onnx.load(chain).graph
    for name in names:
        assert not any(kind in found.get(name, "") for kind in INTEGER), (name, found.get(name))
        original = next(n for n in model.node if n.name == name)
        np.testing.assert_array_equal(
            weights_of(artifact.path, name),
            next(
                onnx.numpy_helper.to_array(t)
                for t in model.initializer
                if t.name == original.input[1]
            ),
        )
    integer = {f"layer{i}" for i in (0, 1, 2, 4)} - names
    assert {n for n, op in found.items() if op == "QLinearConv"} == integer
    assert artifact.manifest.integer_layers == len(integer)
    assert not any("makes integers of" in w for w in artifact.manifest.warnings)
    reasons = {f.node: f.reason for f in artifact.manifest.float_layers}
    assert all(reasons[name] == "kept float as asked" for name in names)
    assert "no static integer ConvTranspose" in reasons["layer3"]


@pytest.mark.parametrize("kept", ["layer0", "layer1", "layer2", "layer4"])
def test_optimized_or_not_a_mixed_graph_means_the_same(
    chain: Path, make: Make, outputs: Outputs, kept: str
) -> None:
    data = chain.with_name("d.npz")
    artifact = make(chain, calibration=data, keep_float=kept, target="x86-64")
    x = {"x": np.load(data)["x"]}
    (fast,), (plain,), (wanted,) = (
        outputs(artifact.path, x),
        outputs(artifact.path, x, level="none"),
        outputs(chain, x),
    )
    # Rounding falls elsewhere in the kernels; a layer that silently became integer adds far more.
    assert np.square(fast - plain).sum() < 0.5 * np.square(plain - wanted).sum()


def test_a_float_layer_between_integers_is_fenced(
    chain: Path, make: Make, outputs: Outputs, operators: Operators
) -> None:
    # Without it ONNX Runtime rounds the float weights of a Conv between DQ and Q by itself.
    artifact = make(chain, calibration=chain.with_name("d.npz"), keep_float="layer1")
    nodes = {n.name: n for n in onnx.load(artifact.path).graph.node}
    assert nodes["layer1_fence"].op_type == "LeakyRelu"
    proto = onnx.load(artifact.path)
    fence = next(n for n in proto.graph.node if n.name == "layer1_fence")
    for node in proto.graph.node:
        node.input[:] = [fence.input[0] if i == fence.output[0] else i for i in node.input]
    proto.graph.node.remove(fence)
    unfenced = chain.with_name("unfenced.onnx")
    onnx.save(proto, unfenced)
    x = {"x": np.load(chain.with_name("d.npz"))["x"]}
    (wanted,) = outputs(chain, x)

    def noise(path: Path | str) -> float:
        return float(np.square(outputs(path, x)[0] - wanted).sum())

    assert operators(str(unfenced))["layer1"] != operators(artifact.path)["layer1"]
    assert noise(artifact.path) < noise(unfenced)


def test_elementwise_operators_are_kept_float_too(
    conv_net: Path, conv_data: Path, make: Make, operators: Operators
) -> None:
    assert operators(make(conv_net, calibration=conv_data).path)["residual"] == "QLinearAdd"
    kept = make(conv_net, calibration=conv_data, keep_float="residual")
    assert operators(kept.path)["residual"] == "Add"
    assert kept.manifest.integer_layers == 3


def test_a_layer_at_16_bits(chain: Path, make: Make, outputs: Outputs) -> None:
    data = chain.with_name("d.npz")
    artifact = make(chain, calibration=data, keep_16bit="layer1", target="x86-64")
    wide = {e.tensor for e in artifact.manifest.encodings if e.dtype == "uint16"}
    assert wide == {"r1"}, "its output, behind the clamp"
    reasons = {f.node: f.reason for f in artifact.manifest.float_layers}
    assert reasons["layer1"] == "its activations have 16 bits, as asked"
    assert "16 bits, as asked of a layer beside it" in reasons["layer2"]
    assert artifact.manifest.integer_layers == 2
    x = {"x": np.load(data)["x"]}
    (fast,), (plain,) = (outputs(artifact.path, x, level=level) for level in ("all", "none"))
    (wanted,) = outputs(chain, x)
    assert np.square(fast - plain).sum() < 0.5 * np.square(plain - wanted).sum()


def test_16_bits_bring_something(chain: Path, make: Make) -> None:
    data = chain.with_name("d.npz")
    found = []
    for kept in ({}, {"keep_16bit": "layer0,layer1,layer2,layer4"}):
        check = make(chain, calibration=data, target="x86-64", **kept).manifest.verification
        assert check is not None
        assert check.worst.sqnr_db is not None
        found.append(check.worst.sqnr_db)
    assert found[1] > found[0] + 2


def test_a_matrix_product_at_16_bits_has_a_wide_input(
    encoder: Path, texts: Path, make: Make
) -> None:
    artifact = make(encoder, calibration=texts, keep_16bit="second", effort="fast")
    assert {e.tensor for e in artifact.manifest.encodings if e.dtype == "uint16"} == {"r"}


def test_what_would_be_float_anyway_is_told(chain: Path, make: Make) -> None:
    artifact = make(chain, calibration=chain.with_name("d.npz"), keep_16bit="layer3")
    assert any("nothing to keep at 16 bits: layer3" in w for w in artifact.manifest.warnings)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"keep_float": "layer9"}, "layer9"),
        ({"keep_float": "layer1", "keep_16bit": "layer?"}, "both name 'layer1'"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    chain: Path, make: Make, tmp_path: Path, options: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        make(chain, calibration=chain.with_name("d.npz"), **options)
    assert not (tmp_path / "out").exists()
