"""A small encoder, artifacts of small nets, and what ONNX Runtime gives and makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.core.runtime import open_session
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Constants = Callable[[str], dict[str, np.ndarray]]
Operators = Callable[[str], dict[str, str]]


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


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """One artifact of a model, whatever its quality."""

    def make(model: Path, precision: str = "int8", **options: Any) -> Artifact:
        options = {"output": tmp_path / "out", "min_sqnr": -100.0, "force": True, **options}
        return edgeopt.convert(model, precision=precision, **options).artifacts[0]

    return make


@pytest.fixture
def outputs() -> Outputs:
    """What a model gives, with the runtime's integer kernels or, emulated, without them."""

    def outputs(
        model: Path | str,
        inputs: Mapping[str, np.ndarray],
        *,
        level: str = "all",
        emulated: bool = False,
        exact: bool = False,
    ) -> list[np.ndarray]:
        session = open_session(Path(model), level=level, threads=1, emulated=emulated, exact=exact)
        return [np.asarray(y) for y in session.run(None, dict(inputs))]

    return outputs


@pytest.fixture
def constants() -> Constants:
    """The initializers of a model's file."""

    def constants(path: str) -> dict[str, np.ndarray]:
        return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}

    return constants


@pytest.fixture
def operators(tmp_path: Path) -> Operators:
    """By node name, the operators that ONNX Runtime makes of a model."""

    def operators(path: str) -> dict[str, str]:
        optimized = tmp_path / "optimized.onnx"
        open_session(Path(path), level="extended", optimized=optimized)
        return {n.name: n.op_type for n in onnx.load(optimized).graph.node}

    return operators


def sqnr(reference: np.ndarray, found: np.ndarray) -> float:
    """In dB."""
    noise = np.square(reference.astype(np.float64) - found).sum()
    return float(10 * np.log10(np.square(reference.astype(np.float64)).sum() / max(noise, 1e-30)))
