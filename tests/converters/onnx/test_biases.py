"""Biases take off what rounding adds to the mean, and rounding relies on no more than that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Save = Callable[..., Path]


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("precision", ["int8", "int4-weight"])
def test_inputs_put_together_of_heads_keep_their_mean(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, make: Make, outputs: Outputs,
    precision: str, biased: bool,
) -> None:  # fmt: skip
    """As an attention's output: four heads of 16 become the 64 channels of a product."""
    constants = {
        "w": rng.standard_normal((64, 24)).astype(np.float32),
        "shape": np.array([0, 6, 64]),
        **({"b": rng.standard_normal(24).astype(np.float32)} if biased else {}),
    }
    nodes = [
        helper.make_node("Relu", ["x"], ["heads"], "relu"),
        helper.make_node("Transpose", ["heads"], ["turned"], "turn", perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["turned", "shape"], ["joined"], "join"),
        helper.make_node("MatMul", ["joined", "w"], ["h" if biased else "y"], "product"),
        *([helper.make_node("Add", ["h", "b"], ["y"], "bias")] if biased else []),
    ]
    path = save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["n", 4, 6, 16])],
        [("y", TensorProto.FLOAT, ["n", 6, 24])],
        constants,
    )
    # Large means, and little that varies about them.
    means = rng.uniform(2, 4, (4, 1, 16))
    x = (means + 0.1 * rng.standard_normal((96, 4, 6, 16))).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x[:64])
    (wanted,) = outputs(path, {"x": x[64:]})

    def worst_mean(effort: str) -> float:
        artifact = make(path, precision, calibration=tmp_path / "d.npz", effort=effort)
        (found,) = outputs(artifact.path, {"x": x[64:]}, emulated=True)
        return float(np.abs((found - wanted).mean((0, 1))).max())

    assert worst_mean("high") < 0.3 * worst_mean("fast")
