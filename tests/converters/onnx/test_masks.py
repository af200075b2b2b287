"""Floors under masked scores: the same attention, no denormal numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.onnx.masks import floor_masked_scores
from edgeopt.core.ir import ir

LOWEST = float(np.finfo(np.float32).min)
SMALLEST = float(np.finfo(np.float32).tiny)
Save = Callable[..., Path]
WIDTH = 12


def attention(save_model: Save, masked: float, *, opset: int = 18, axis: int = -1) -> Path:
    """Scores of tokens with one another; those that ``kept`` doesn't name are masked."""
    return save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["keys"], "keys"),
            helper.make_node("Transpose", ["keys"], ["turned"], "turn", perm=[0, 2, 1]),
            helper.make_node("MatMul", ["x", "turned"], ["scores"], "scores"),
            helper.make_node("Where", ["kept", "zero", "masked"], ["mask"], "mask"),
            helper.make_node("Add", ["scores", "mask"], ["sum"], "add"),
            helper.make_node("Softmax", ["sum"], ["weights"], "softmax", axis=axis),
            helper.make_node("MatMul", ["weights", "x"], ["y"], "y"),
        ],
        [
            ("x", TensorProto.FLOAT, [1, 6, WIDTH]),
            ("kept", TensorProto.BOOL, [1, 6, 6]),
        ],
        [("y", TensorProto.FLOAT, None), ("weights", TensorProto.FLOAT, [1, 6, 6])],
        {
            "w": np.eye(WIDTH, dtype=np.float32),
            "zero": np.float32(0),
            "masked": np.float32(masked),
        },
        opset=opset,
    )


def floored(path: Path, to: Path) -> tuple[int, Path]:
    model = ir.from_proto(onnx.shape_inference.infer_shapes(onnx.load(path)))
    found = floor_masked_scores(model.graph)
    ir.save(model, to)
    return found, to


def weights(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(["weights"], inputs)[0]
    return found


def half_masked(rng: np.random.Generator) -> dict[str, np.ndarray]:
    kept = np.zeros((1, 6, 6), bool)
    kept[..., :3] = True
    return {"x": 0.5 * rng.standard_normal((1, 6, WIDTH), dtype=np.float32), "kept": kept}


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("masked", [LOWEST, -np.inf, -1e4])
def test_the_weights_are_the_same_and_none_is_denormal(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, opset: int, masked: float
) -> None:
    path = attention(save_model, masked, opset=opset)
    count, after = floored(path, tmp_path / "after.onnx")
    assert count == 1
    inputs = half_masked(rng)
    expected, found = weights(path, inputs), weights(after, inputs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-30)
    assert (found > SMALLEST).all()
    assert not (expected > SMALLEST).all()


@pytest.mark.parametrize("masked", [LOWEST, -1e4])
def test_a_row_that_is_masked_throughout_stays_as_it_was(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, masked: float
) -> None:
    path = attention(save_model, masked)
    _, after = floored(path, tmp_path / "after.onnx")
    inputs = half_masked(rng)
    inputs["kept"][0, 2] = False
    np.testing.assert_allclose(weights(after, inputs), weights(path, inputs), rtol=0, atol=1e-30)


def test_without_a_mask_or_over_another_axis_nothing_is_added(
    save_model: Save, tmp_path: Path
) -> None:
    assert floored(attention(save_model, -5.0), tmp_path / "none.onnx")[0] == 0
    assert floored(attention(save_model, LOWEST, axis=1), tmp_path / "other.onnx")[0] == 0


@pytest.mark.parametrize("precision", ["int8", "int8-dynamic"])
@pytest.mark.parametrize(("target", "count"), [("x86-64-vnni", 1), ("arm64", 0)])
def test_it_is_done_for_targets_on_which_it_was_timed(
    save_model: Save,
    tmp_path: Path,
    rng: np.random.Generator,
    precision: str,
    target: str,
    count: int,
) -> None:
    path = attention(save_model, LOWEST)
    data = [half_masked(rng) for _ in range(12)]
    joined = {n: np.concatenate([d[n] for d in data]) for n in ("x", "kept")}
    np.savez(tmp_path / "data.npz", x=joined["x"], kept=joined["kept"])
    made = edgeopt.convert(
        path, precision=precision, calibration=tmp_path / "data.npz", target=target,
        output=tmp_path / "out",
    )  # fmt: skip
    operators = [node.op_type for node in onnx.load(made.artifacts[0].path).graph.node]
    assert operators.count("ReduceMin") == count
