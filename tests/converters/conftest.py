"""A small encoder, which artifacts of every format are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def encoder(save_model: Callable[..., Path], rng: np.random.Generator) -> Path:
    """Embedding, two products with biases, residual, norm, mean, Gemm: (N, 12) ids to (N, 5)."""

    def weights(*shape: int) -> np.ndarray:
        scale = np.float32(1 / np.sqrt(shape[0]))
        return scale * rng.standard_normal(shape, dtype=np.float32)

    constants = {
        "table": rng.standard_normal((600, 32)).astype(np.float32),
        "w1": weights(32, 48), "b1": weights(48, 1).reshape(-1),
        "w2": weights(48, 32), "b2": weights(32, 1).reshape(-1),
        "w3": weights(32, 5).T.copy(), "b3": weights(5, 1).reshape(-1),
        "scale": rng.uniform(0.5, 1.5, 32).astype(np.float32),
        "shift": rng.standard_normal(32).astype(np.float32),
        "tokens": np.array([1]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["x"], "embed"),
        helper.make_node("MatMul", ["x", "w1"], ["p1"], "first"),
        helper.make_node("Add", ["b1", "p1"], ["h1"], "first_bias"),
        helper.make_node("Relu", ["h1"], ["r"], "relu"),
        helper.make_node("MatMul", ["r", "w2"], ["p2"], "second"),
        helper.make_node("Add", ["p2", "b2"], ["h2"], "second_bias"),
        helper.make_node("Add", ["h2", "x"], ["sum"], "residual"),
        helper.make_node("LayerNormalization", ["sum", "scale", "shift"], ["norm"], "norm"),
        helper.make_node("ReduceMean", ["norm", "tokens"], ["mean"], "mean", keepdims=0),
        helper.make_node("Gemm", ["mean", "w3", "b3"], ["scores"], "head", transB=1),
    ]
    return save_model(
        nodes,
        [("ids", TensorProto.INT64, ["batch", 12])],
        [("scores", TensorProto.FLOAT, ["batch", 5])],
        constants,
        name="encoder.onnx",
    )


@pytest.fixture
def texts(tmp_path: Path, rng: np.random.Generator) -> Path:
    """40 samples for ``encoder``."""
    np.savez(tmp_path / "texts.npz", ids=rng.integers(0, 600, (40, 12)))
    return tmp_path / "texts.npz"
