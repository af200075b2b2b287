"""Which kernels add in 16 bits, in which order: ONNX Runtime itself is asked, without VNNI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.calibration.saturation import PAIR_LIMIT, saturated_sums, worst_pairs
from edgeopt.converters.onnx.saturation import pair_bounds
from edgeopt.converters.onnx.weights import kernel_order
from edgeopt.core.ir import ir
from edgeopt.pipeline.making import Artifact
from tests.haswell import Kernels

Make = Callable[..., Artifact]
Save = Callable[..., Path]


def model_of(
    nodes: list[onnx.NodeProto], x: tuple[str, int, list[int]], constants: dict[str, np.ndarray]
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(*x)],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


@pytest.mark.parametrize("inputs", [31, 64])
def test_matrix_products_go_down_the_columns(
    inputs: int, rng: np.random.Generator, kernels_without_vnni: Kernels
) -> None:
    weight = rng.integers(-127, 128, (inputs, 16)).astype(np.int8)
    x = rng.integers(0, 256, (5, inputs)).astype(np.uint8)
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    model = model_of([node], ("x", TensorProto.UINT8, [5, inputs]), {"w": weight})
    y = kernels_without_vnni(model, x)
    order = kernel_order(ir.node("MatMul", [None, None]), weight.shape)
    assert order is not None
    np.testing.assert_array_equal(y, saturated_sums(x, weight.reshape(-1)[order]))
    assert (y != x.astype(int) @ weight.astype(int)).any()


@pytest.mark.parametrize("groups", [1, 2])
def test_convolutions_go_over_pixels_with_channels_innermost(
    groups: int, rng: np.random.Generator, kernels_without_vnni: Kernels
) -> None:
    channels, outputs = 6 // groups, 8
    weight = rng.integers(-127, 128, (outputs, channels, 3, 3)).astype(np.int8)
    x = rng.integers(0, 256, (1, 6, 3, 3)).astype(np.uint8)
    reach = 16000
    constants = {
        "w": weight,
        "one": np.float32(1),
        "step": np.float32(reach / 128),
        "zero": np.uint8(0),
        "none": np.int8(0),
        "half": np.uint8(128),
    }
    node = helper.make_node(
        "QLinearConv", ["x", "one", "zero", "w", "one", "none", "step", "half"], ["y"], group=groups
    )
    model = model_of([node], ("x", TensorProto.UINT8, [1, 6, 3, 3]), constants)  # type: ignore[arg-type]
    y = kernels_without_vnni(model, x)
    order = kernel_order(ir.node("Conv", [None, None], {"group": groups}), weight.shape)
    assert order is not None
    rows = weight.reshape(-1)[order]
    pixels = np.moveaxis(x.reshape(groups, channels, 9), 1, 2).reshape(groups, -1)
    each = outputs // groups
    sums = np.concatenate(
        [saturated_sums(p[None], rows[:, i * each :][:, :each])[0] for i, p in enumerate(pixels)]
    )
    expected = np.clip(np.rint(sums / (reach / 128)) + 128, 0, 255)
    assert np.abs(y.reshape(-1) - expected).max() <= 1
    plain = x.reshape(groups, -1).astype(int), weight.reshape(groups, each, -1).astype(int)
    exact = np.concatenate([w @ a for a, w in zip(*plain, strict=True)])
    assert np.abs(sums - exact).max() > 1000


def test_depthwise_convolutions_add_exactly(kernels_without_vnni: Kernels) -> None:
    weight = np.full((8, 1, 3, 3), 127, np.int8)
    assert kernel_order(ir.node("Conv", [None, None], {"group": 8}), weight.shape) is None
    constants = {
        "w": weight, "one": np.float32(1), "step": np.float32(255 * 127 * 9 / 255),
        "zero": np.uint8(0), "none": np.int8(0),
    }  # fmt: skip
    node = helper.make_node(
        "QLinearConv", ["x", "one", "zero", "w", "one", "none", "step", "zero"], ["y"], group=8
    )
    model = model_of([node], ("x", TensorProto.UINT8, [1, 8, 3, 3]), constants)  # type: ignore[arg-type]
    y = kernels_without_vnni(model, np.full((1, 8, 3, 3), 255, np.uint8))
    np.testing.assert_array_equal(y, 255)


@pytest.mark.parametrize("precision", ["int8", "int8-dynamic"])
@pytest.mark.parametrize("effort", ["fast", "default", "high"])
@pytest.mark.parametrize(("net", "data"), [("conv_net", "conv_data"), ("encoder", "texts")])
def test_nothing_for_x86_without_vnni_can_saturate(
    request: pytest.FixtureRequest, make: Make, precision: str, effort: str, net: str, data: str
) -> None:
    model, samples = (request.getfixturevalue(name) for name in (net, data))
    artifact = make(model, precision, calibration=samples, effort=effort, target="x86-64")
    bounds = pair_bounds(Path(artifact.path))
    assert len(bounds) == artifact.manifest.integer_layers
    assert all(bound.safe for bound in bounds)
    assert not any("may saturate" in w for w in artifact.manifest.warnings)


def test_a_bound_is_what_two_weights_add_up_to(
    save_model: Save, tmp_path: Path, make: Make, rng: np.random.Generator
) -> None:
    weight = rng.standard_normal((6, 4)).astype(np.float32)
    weight[2:4, 1] = weight[2:4].max() * 2  # a pair in a column
    path = save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        [("x", TensorProto.FLOAT, ["n", 6])],
        [("y", TensorProto.FLOAT, ["n", 4])],
        {"w": weight},
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 6)).astype(np.float32))
    found = {}
    for target in ("x86-64-vnni", "x86-64"):
        artifact = make(path, calibration=tmp_path / "d.npz", target=target)
        (bound,) = pair_bounds(Path(artifact.path))
        stored = {
            t.name: numpy_helper.to_array(t) for t in onnx.load(artifact.path).graph.initializer
        }
        assert bound.worst == worst_pairs(stored["w_quantized"]).max()
        found[target] = bound.worst
    assert found == {"x86-64-vnni": 254, "x86-64": PAIR_LIMIT}


def test_a_profile_that_lets_sums_saturate_is_warned_about(
    conv_net: Path, conv_data: Path, make: Make, tmp_path: Path
) -> None:
    board = tmp_path / "board.toml"
    board.write_text(
        'name = "board"\ndescription = "AVX2"\n[cpu]\narch = "x86_64"\nfeatures = ["avx2"]\n'
        '[encoding.onnx]\nactivation = { dtype = "uint8" }\n'
        'weight = { dtype = "int8", symmetric = true, per_channel = true }\n'
    )
    manifest = make(conv_net, calibration=conv_data, target=str(board)).manifest
    assert any("may saturate on board" in w and "pair_limit = 128" in w for w in manifest.warnings)
