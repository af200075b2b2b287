"""int8 ONNX: exact scales, whole fusion, and nothing quantized that must not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.converters.onnx.saturation import pair_bounds
from edgeopt.core.errors import GateError
from edgeopt.pipeline.making import Artifact
from edgeopt.targets import host_architecture

Save = Callable[..., Path]


def int8(model: Path, data: Path, output: Path, **options: object) -> Artifact:
    options = {"min_sqnr": -100, "precision": "int8", **options}
    made = edgeopt.convert(model, calibration=data, output=output, **options)  # type: ignore[arg-type]
    return made.artifacts[0]


def pairs(path: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scale and zero point of every DequantizeLinear, by its output's name."""
    model = onnx.load(path)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    return {
        n.output[0]: (constants[n.input[1]], constants[n.input[2]])
        for n in model.graph.node
        if n.op_type == "DequantizeLinear"
    }


@pytest.mark.parametrize("target", ["x86-64-vnni", "x86-64", "arm64"])
def test_every_scale_in_the_file_is_the_manifests_bit_for_bit(
    conv_net: Path, conv_data: Path, tmp_path: Path, target: str
) -> None:
    artifact = int8(conv_net, conv_data, tmp_path / "out", target=target)
    model = onnx.load(artifact.path)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    encodings = {e.tensor: e for e in artifact.manifest.encodings}
    seen = set()
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        tensor = node.input[1].removesuffix("_scale")
        encoding, scale, zero = (
            encodings[tensor],
            constants[node.input[1]],
            constants[node.input[2]],
        )
        seen.add(tensor)
        assert scale.dtype == np.float32
        assert tuple(float(s) for s in scale.reshape(-1)) == encoding.scale
        assert tuple(int(z) for z in zero.reshape(-1)) == encoding.zero_point
        assert zero.dtype == encoding.dtype
    assert seen == set(encodings)


@pytest.mark.parametrize(
    ("target", "activation", "bounded"),
    [("x86-64-vnni", "uint8", False), ("x86-64", "uint8", True), ("arm64", "int8", False)],
)
def test_the_targets_rules_are_kept(
    conv_net: Path, conv_data: Path, tmp_path: Path, target: str, activation: str, bounded: bool
) -> None:
    artifact = int8(conv_net, conv_data, tmp_path / "out", target=target)
    encodings = {e.tensor: e for e in artifact.manifest.encodings}
    assert encodings["image"].dtype == activation
    assert len(encodings["w1"].scale) == 8
    assert encodings["b1_corrected"].dtype == "int32"
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(artifact.path).graph.initializer}
    assert (np.abs(weights["w1_quantized"].astype(int)).max() == 127) is not bounded
    assert all(bound.safe for bound in pair_bounds(Path(artifact.path))) is bounded
    expected = "conv_net.int8.onnx" if target == "x86-64-vnni" else f"conv_net.int8.{target}.onnx"
    assert Path(artifact.path).name == expected


def test_what_cannot_be_seen_on_this_machine_is_not_claimed(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    other = {"x86_64": "arm64"}.get(host_architecture(), "x86-64")
    manifest = int8(conv_net, conv_data, tmp_path / "out", target=other).manifest
    assert manifest.integer_layers is None
    assert any("can't be seen" in warning for warning in manifest.warnings)


def test_the_runtime_computes_every_layer_in_integers(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    artifact = int8(conv_net, conv_data, tmp_path / "out")
    assert artifact.manifest.integer_layers == 3
    assert artifact.manifest.float_layers == ()
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    ort.InferenceSession(artifact.path, options)
    ops = [n.op_type for n in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert ops == [
        "QuantizeLinear", "QLinearConv", "QLinearConv", "QLinearAdd", "QLinearGlobalAveragePool",
        "Flatten", "QGemm",
    ]  # fmt: skip


def test_the_file_means_the_same_without_the_runtimes_optimizations(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    # A layer that silently became integer, or lost its clamp, would differ by far more than a step.
    artifact = int8(conv_net, conv_data, tmp_path / "out")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    x = {"image": np.load(conv_data)["image"][:8]}
    fused = ort.InferenceSession(artifact.path).run(None, x)[0]
    plain = ort.InferenceSession(artifact.path, options).run(None, x)[0]
    assert 20 * np.log10(np.linalg.norm(plain) / np.linalg.norm(plain - fused)) > 35


def test_int8_is_close_to_float(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    check = int8(conv_net, conv_data, tmp_path / "out").manifest.verification
    assert check is not None
    assert check.worst.sqnr_db is not None
    assert check.worst.sqnr_db > 25


def test_a_mask_never_gets_a_range(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    lowest = float(np.finfo(np.float32).min)
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w1"], ["h"], "first"),
            helper.make_node("Where", ["keep", "h", "lowest"], ["masked"], "mask"),
            helper.make_node("Relu", ["masked"], ["r"], "relu"),
            helper.make_node("MatMul", ["masked", "w2"], ["bad"], "on_mask"),
            helper.make_node("MatMul", ["r", "w2"], ["good"], "after_relu"),
        ],
        [("x", TensorProto.FLOAT, ["n", 4]), ("keep", TensorProto.BOOL, ["n", 4])],
        [("bad", TensorProto.FLOAT, ["n", 3]), ("good", TensorProto.FLOAT, ["n", 3])],
        {
            "w1": rng.standard_normal((4, 4)).astype(np.float32),
            "w2": 1e-3 * rng.standard_normal((4, 3)).astype(np.float32),
            "lowest": np.float32(lowest),
        },
    )
    np.savez(
        tmp_path / "d.npz",
        x=rng.standard_normal((20, 4)).astype(np.float32),
        keep=rng.integers(0, 2, (20, 4)).astype(bool),
    )
    artifact = int8(path, tmp_path / "d.npz", tmp_path / "out")
    tensors = {e.tensor for e in artifact.manifest.encodings}
    assert "masked" not in tensors
    assert {"x", "r"} <= tensors
    (kept,) = artifact.manifest.float_layers
    assert kept.node == "on_mask"
    assert "mask" in kept.reason
    assert artifact.manifest.integer_layers == 2


def test_a_convolution_at_the_end_keeps_its_outputs_name(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
            helper.make_node("Relu", ["c"], ["y"], "relu"),
        ],
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 2, 4, 4]), ("c", TensorProto.FLOAT, ["n", 2, 4, 4])],
        {"w": rng.standard_normal((2, 3, 1, 1)).astype(np.float32)},
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 4, 4)).astype(np.float32))
    artifact = int8(path, tmp_path / "d.npz", tmp_path / "out")
    session = ort.InferenceSession(artifact.path)
    assert [o.name for o in session.get_outputs()] == ["y", "c"]
    y, c = session.run(None, {"x": np.load(tmp_path / "d.npz")["x"][:1]})
    assert y.min() == 0 > c.min()


def test_a_clamp_narrower_than_the_integers_is_kept(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    # Symmetric integers reach below zero: saturation can't stand for the Relu there.
    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
            helper.make_node("Relu", ["c"], ["r"], "relu"),
            helper.make_node("Conv", ["r", "w2"], ["y"], "second"),
        ],
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 2, 4, 4])],
        {
            "w": rng.standard_normal((2, 3, 1, 1)).astype(np.float32),
            "w2": rng.standard_normal((2, 2, 1, 1)).astype(np.float32),
        },
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 4, 4)).astype(np.float32))
    board = tmp_path / "board.toml"
    board.write_text(
        'name = "board"\ndescription = "symmetric"\n[cpu]\narch = "aarch64"\n[encoding.onnx]\n'
        'activation = { dtype = "int8", symmetric = true }\n'
        'weight = { dtype = "int8", symmetric = true }\n'
    )
    artifact = int8(path, tmp_path / "d.npz", tmp_path / "out", target=str(board))
    assert "Relu" in [n.op_type for n in onnx.load(artifact.path).graph.node]
    check = artifact.manifest.verification
    assert check is not None
    assert (check.worst.sqnr_db or 99) > 20


def test_a_weight_that_two_layers_share(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], "first"),
            helper.make_node("MatMul", ["h", "w"], ["y"], "second"),
        ],
        [("x", TensorProto.FLOAT, ["n", 4])],
        [("y", TensorProto.FLOAT, ["n", 4])],
        {"w": rng.standard_normal((4, 4)).astype(np.float32)},
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 4)).astype(np.float32))
    artifact = int8(path, tmp_path / "d.npz", tmp_path / "out")
    assert artifact.manifest.integer_layers == 2
    assert sum(e.tensor.startswith("w") for e in artifact.manifest.encodings) == 2


def test_a_model_with_nothing_to_quantize_is_refused(save_model: Save, tmp_path: Path) -> None:
    path = save_model(
        [helper.make_node("Sin", ["x"], ["y"])],
        [("x", TensorProto.FLOAT, ["n", 4])],
        [("y", TensorProto.FLOAT, ["n", 4])],
    )
    np.savez(tmp_path / "d.npz", x=np.ones((20, 4), np.float32))
    with pytest.raises(GateError, match="nothing in this model can be int8"):
        int8(path, tmp_path / "d.npz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_inputs_give_the_same_bytes(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    one, two = (int8(conv_net, conv_data, tmp_path / str(i)) for i in range(2))
    assert Path(one.path).read_bytes() == Path(two.path).read_bytes()
    manifests = [Path(f"{a.path}.json").read_bytes() for a in (one, two)]
    assert manifests[0] == manifests[1]


def test_a_convolution_over_what_was_a_vector(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    # The vector's elements become positions: their means are not those of the one channel.
    path = save_model(
        [
            helper.make_node("Unsqueeze", ["x", "one"], ["u"], "unsqueeze"),
            helper.make_node("Conv", ["u", "w"], ["c"], "conv", strides=[4]),
            helper.make_node("Relu", ["c"], ["y"], "relu"),
        ],
        [("x", TensorProto.FLOAT, ["n", 64])],
        [("y", TensorProto.FLOAT, ["n", 6, 15])],
        {
            "one": np.array([1], np.int64),
            "w": rng.standard_normal((6, 1, 8)).astype(np.float32),
        },
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 64)).astype(np.float32))
    artifact = int8(path, tmp_path / "d.npz", tmp_path / "out")
    check = artifact.manifest.verification
    assert artifact.manifest.integer_layers == 1
    assert check is not None
    assert (check.worst.sqnr_db or 99) > 30
