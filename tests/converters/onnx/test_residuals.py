"""A residual before a norm: the same numbers, and two kernels instead of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.onnx.residuals import residuals_as_sums
from edgeopt.core.ir import ir
from edgeopt.core.runtime import open_session


def optimized_ops(model: Path, scratch: Path) -> list[str]:
    open_session(model, level="extended", optimized=scratch / "optimized.onnx")
    return [node.op_type for node in onnx.load(scratch / "optimized.onnx").graph.node]


def test_the_runtime_leaves_the_two_apart(
    save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["product"], "product"),
            helper.make_node("Add", ["product", "b"], ["biased"], "bias"),
            helper.make_node("Add", ["biased", "x"], ["sum"], "residual"),
            helper.make_node("LayerNormalization", ["sum", "scale", "shift"], ["y"], "norm"),
            helper.make_node("Add", ["y", "b"], ["plain"], "next"),
            helper.make_node("LayerNormalization", ["plain", "scale", "shift"], ["z"], "again"),
        ],
        [("x", TensorProto.FLOAT, ["batch", "length", 16])],
        [("y", TensorProto.FLOAT, None), ("z", TensorProto.FLOAT, None)],
        {
            "w": rng.standard_normal((16, 16)).astype(np.float32),
            **{n: rng.standard_normal(16).astype(np.float32) for n in ("b", "scale", "shift")},
        },
    )
    assert "SkipLayerNormalization" in optimized_ops(path, tmp_path)
    model = ir.load(path)
    assert residuals_as_sums(model.graph) == 1
    assert [n.op_type for n in model.graph if n.name == "residual"] == ["Sum"]
    ir.save(model, tmp_path / "apart.onnx")
    assert "SkipLayerNormalization" not in optimized_ops(tmp_path / "apart.onnx", tmp_path)
    x = rng.standard_normal((2, 5, 16)).astype(np.float32)
    before, after = (
        ort.InferenceSession(p, providers=["CPUExecutionProvider"]).run(None, {"x": x})
        for p in (path, tmp_path / "apart.onnx")
    )
    for a, b in zip(before, after, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("precision", ["int8", "int8-dynamic"])
@pytest.mark.parametrize(("target", "op"), [("x86-64-vnni", "Sum"), ("arm64", "Add")])
def test_it_is_done_for_targets_on_which_it_was_timed(
    save_model: Callable[..., Path],
    tmp_path: Path,
    rng: np.random.Generator,
    precision: str,
    target: str,
    op: str,
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["product"], "product"),
            helper.make_node("Add", ["product", "x"], ["sum"], "residual"),
            helper.make_node("LayerNormalization", ["sum", "scale", "shift"], ["y"], "norm"),
        ],
        [("x", TensorProto.FLOAT, ["batch", 16])],
        [("y", TensorProto.FLOAT, None)],
        {
            "w": rng.standard_normal((16, 16)).astype(np.float32),
            **{n: rng.standard_normal(16).astype(np.float32) for n in ("scale", "shift")},
        },
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((40, 16)).astype(np.float32))
    made = edgeopt.convert(
        path, precision=precision, calibration=tmp_path / "d.npz", target=target,
        output=tmp_path / "out",
    )  # fmt: skip
    nodes = onnx.load(made.artifacts[0].path).graph.node
    assert [node.op_type for node in nodes if node.name == "residual"] == [op]
