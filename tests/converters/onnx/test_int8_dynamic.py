"""int8-dynamic: what the kernels compute, and how close that is to float."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.onnx.saturation import pair_bounds
from edgeopt.core.errors import GateError
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Save = Callable[..., Path]


def test_every_product_is_one_integer_kernel(
    encoder: Path, make: Make, operators: Callable[[str], dict[str, str]]
) -> None:
    artifact = make(encoder, "int8-dynamic")
    assert artifact.manifest.integer_layers == 3
    assert artifact.manifest.float_layers == ()
    found = operators(artifact.path)
    assert found["first"] == found["second"] == found["head"] == "DynamicQuantizeMatMul"
    # The biases are fused: nothing but the residual is added by itself.
    added = [op for op in found.values() if op in ("Add", "Sum", "SkipLayerNormalization")]
    assert added == ["Sum"]


def test_it_is_close_to_float(encoder: Path, texts: Path, make: Make) -> None:
    check = make(encoder, "int8-dynamic", evaluation=texts, target="x86-64").manifest.verification
    assert check is not None
    assert check.worst.sqnr_db is not None
    assert check.worst.sqnr_db > 28


def dynamic(x: np.ndarray) -> tuple[np.ndarray, np.float32, int]:
    """DynamicQuantizeLinear as ONNX defines it."""
    low, high = min(x.min(), np.float32(0)), max(x.max(), np.float32(0))
    scale = np.float32((high - low) / np.float32(255))
    zero = int(np.clip(np.rint(-low / scale), 0, 255))
    return np.clip(np.rint(x / scale) + zero, 0, 255), scale, zero


@pytest.mark.parametrize("transposed", [False, True])
def test_the_kernel_gives_what_the_integers_stand_for(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, make: Make, outputs: Outputs,
    constants: Callable[[str], dict[str, np.ndarray]], transposed: bool,
) -> None:  # fmt: skip
    weight = rng.standard_normal((40, 24)).astype(np.float32)
    bias = rng.standard_normal(24).astype(np.float32)
    path = save_model(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], "product", transB=int(transposed))],
        [("x", TensorProto.FLOAT, ["n", 40])],
        [("y", TensorProto.FLOAT, ["n", 24])],
        {"w": weight.T.copy() if transposed else weight, "b": bias},
    )
    artifact = make(path, "int8-dynamic", target="x86-64")  # no pair of weights saturates there
    assert all(bound.safe for bound in pair_bounds(Path(artifact.path)))
    (encoding,) = artifact.manifest.encodings
    assert encoding.axis == 1, "the file has the outputs last"
    integers = constants(artifact.path)[f"{encoding.tensor}_quantized"]
    x = rng.standard_normal((6, 40)).astype(np.float32)
    q, scale, zero = dynamic(x)
    expected = (q - zero) @ integers.astype(np.float64) * (scale * np.array(encoding.scale)) + bias
    (y,) = outputs(artifact.path, {"x": x})
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_calibration_data_takes_the_weights_rounding_off_the_biases(
    encoder: Path, texts: Path, tmp_path: Path, make: Make, outputs: Outputs
) -> None:
    # A bias can only be wrong on average: that is what is looked at.
    inputs = dict(np.load(texts))
    (wanted,) = outputs(encoder, inputs)

    def drift(**options: object) -> float:
        artifact = make(encoder, "int8-dynamic", target="x86-64", **options)
        return float(np.linalg.norm(outputs(artifact.path, inputs)[0].mean(0) - wanted.mean(0)))

    assert drift(calibration=texts) < drift()


def test_an_activation_that_several_read_is_rounded_once(
    save_model: Save, rng: np.random.Generator, make: Make
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "q"], ["a"], "query"),
            helper.make_node("MatMul", ["x", "k"], ["b"], "key"),
            helper.make_node("Add", ["a", "b"], ["y"], "sum"),
        ],
        [("x", TensorProto.FLOAT, ["n", 16])],
        [("y", TensorProto.FLOAT, ["n", 8])],
        {n: rng.standard_normal((16, 8)).astype(np.float32) for n in "qk"},
    )
    ops = [n.op_type for n in onnx.load(make(path, "int8-dynamic").path).graph.node]
    assert ops.count("DynamicQuantizeLinear") == 1
    assert ops.count("MatMulInteger") == 2


def test_convolutions_stay_float_and_that_is_said(conv_net: Path, make: Make) -> None:
    manifest = make(conv_net, "int8-dynamic").manifest
    assert manifest.integer_layers == 1
    assert {layer.node: layer.reason for layer in manifest.float_layers} == dict.fromkeys(
        ("conv1", "depthwise"), "int8-dynamic is for matrix products, not for Conv"
    )


def test_a_net_without_products_is_refused(save_model: Save, make: Make, tmp_path: Path) -> None:
    path = save_model(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv")],
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 2, 4, 4])],
        {"w": np.ones((2, 3, 1, 1), np.float32)},
    )
    with pytest.raises(GateError, match="nothing in this model can be int8-dynamic"):
        make(path, "int8-dynamic")
    assert not (tmp_path / "out").exists()


def test_layers_are_kept_float_as_asked(encoder: Path, make: Make) -> None:
    artifact = make(encoder, "int8-dynamic", keep_float="first")
    assert artifact.manifest.integer_layers == 2
    (kept,) = artifact.manifest.float_layers
    assert (kept.node, kept.reason) == ("first", "kept float as asked")
