"""int4-weight: MatMulNBits means what its bytes say, and rounding is worth its time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper

from edgeopt.calibration.blocks import nearest_blocks, real_blocks
from edgeopt.converters.onnx.int4_weight import packed
from edgeopt.core.errors import GateError
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Save = Callable[..., Path]


def unpacked(stored: np.ndarray, inputs: int) -> np.ndarray:
    """The integers of a MatMulNBits, by its specification: ``(N, blocks, 16)`` to ``(K, N)``."""
    halves = np.stack([stored & 0xF, stored >> 4], axis=-1)  # the first in the low half
    return halves.reshape(len(stored), -1).astype(int).T[:inputs] - 8


@given(
    hnp.arrays(
        np.int8, st.tuples(st.integers(1, 70), st.integers(1, 5)), elements=st.integers(-8, 7)
    )
)
def test_packing_loses_nothing(integers: np.ndarray) -> None:
    stored = packed(integers)
    assert stored.shape == (integers.shape[1], -(-len(integers) // 32), 16)
    np.testing.assert_array_equal(unpacked(stored, len(integers)), integers)


@pytest.mark.parametrize("inputs", [32, 40, 96])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_kernel_gives_what_the_bytes_stand_for(
    save_model: Save, rng: np.random.Generator, make: Make, outputs: Outputs,
    constants: Callable[[str], dict[str, np.ndarray]], inputs: int, transposed: bool,
) -> None:  # fmt: skip
    weight = rng.standard_normal((inputs, 24)).astype(np.float32)
    bias = rng.standard_normal(24).astype(np.float32)
    path = save_model(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], "product", transB=int(transposed))],
        [("x", TensorProto.FLOAT, ["n", inputs])],
        [("y", TensorProto.FLOAT, ["n", 24])],
        {"w": weight.T.copy() if transposed else weight, "b": bias},
    )
    artifact = make(path, "int4-weight")
    stored = constants(artifact.path)
    integers = unpacked(stored["w_quantized"], inputs).astype(np.int8)
    real = real_blocks(integers, stored["w_quantized_scale"].reshape(24, -1).T)
    np.testing.assert_array_equal(real, real_blocks(*nearest_blocks(weight)))
    x = rng.standard_normal((6, inputs)).astype(np.float32)
    (y,) = outputs(artifact.path, {"x": x})
    np.testing.assert_allclose(y, x @ real + bias, rtol=1e-4, atol=1e-4)


def test_every_product_and_table_is_stored_small(
    encoder: Path, make: Make, operators: Callable[[str], dict[str, str]]
) -> None:
    artifact = make(encoder, "int4-weight")
    found = operators(artifact.path)
    assert found["first"] == found["second"] == found["head"] == "MatMulNBits"
    assert "table" in {e.tensor for e in artifact.manifest.encodings}
    onnx.checker.check_model(onnx.load(artifact.path))


def test_rounding_brings_the_outputs_closer(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, make: Make, outputs: Outputs
) -> None:
    causes = rng.standard_normal((400, 12)) @ rng.standard_normal((12, 64))
    x = (causes + 0.2 * rng.standard_normal((400, 64))).astype(np.float32)
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], "product"),
            helper.make_node("Add", ["h", "b"], ["y"], "bias"),
        ],
        [("x", TensorProto.FLOAT, ["n", 64])],
        [("y", TensorProto.FLOAT, ["n", 48])],
        {
            "w": rng.standard_normal((64, 48)).astype(np.float32),
            "b": np.zeros(48, np.float32),
        },
    )
    np.savez(tmp_path / "d.npz", x=x[:300].reshape(300, 64))
    held_out = {"x": x[300:]}
    (wanted,) = outputs(path, held_out)

    def noise(**options: object) -> float:
        artifact = make(path, "int4-weight", **options)
        return float(np.square(outputs(artifact.path, held_out)[0] - wanted).sum())

    nearest = noise()
    high = noise(calibration=tmp_path / "d.npz", effort="high")
    assert 10 * np.log10(nearest / high) > 2


def test_a_net_without_products_is_refused(save_model: Save, make: Make) -> None:
    path = save_model(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv")],
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 2, 4, 4])],
        {"w": np.ones((2, 3, 1, 1), np.float32)},
    )
    told = (
        r"nothing in this model can be int4-weight \(it has no matrix products, which it is for\)"
    )
    with pytest.raises(GateError, match=rf"{told}: use --precision int8, int8-weight or fp16"):
        make(path, "int4-weight")


def test_products_of_two_activations_and_batches_of_matrices_stay_float(
    save_model: Save, rng: np.random.Generator, make: Make
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], "product"),
            helper.make_node("Transpose", ["h"], ["t"], "turn", perm=[0, 2, 1]),
            helper.make_node("MatMul", ["h", "t"], ["s"], "scores"),
            helper.make_node("MatMul", ["s", "batch"], ["y"], "batched"),
        ],
        [("x", TensorProto.FLOAT, [2, 6, 32])],
        [("y", TensorProto.FLOAT, [2, 6, 4])],
        {
            "w": rng.standard_normal((32, 32)).astype(np.float32),
            "batch": rng.standard_normal((2, 6, 4)).astype(np.float32),
        },
    )
    reasons = {f.node: f.reason for f in make(path, "int4-weight").manifest.float_layers}
    assert reasons == {
        "scores": "both its operands are activations",
        "batched": "its weights are a batch of matrices",
    }
