"""What an int8 model computes in floats at its end, and that it is the better for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.tflite_file import read_tflite

pytest.importorskip("ai_edge_litert")

Save = Callable[..., Path]


@pytest.fixture
def data(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "data.npz"
    np.savez(path, x=rng.standard_normal((32, 3, 8, 8)).astype(np.float32))
    return path


def classifier(save_model: Save, rng: np.random.Generator, last: str) -> Path:
    weights = {
        "w1": rng.standard_normal((16, 3, 3, 3)) * 0.3,
        "w2": rng.standard_normal((10, 16)) * 0.3,
        "b2": rng.standard_normal(10),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], "stem"),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["m"], "mean"),
        helper.make_node("Flatten", ["m"], ["y" if last == "mean" else "f"], "flat"),
    ]
    if last == "gemm":
        nodes.append(helper.make_node("Gemm", ["f", "w2", "b2"], ["y"], "head", transB=1))
    else:
        del weights["w2"], weights["b2"]
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [("y", TensorProto.FLOAT, ["batch", 10 if last == "gemm" else 16])],
        {name: array.astype(np.float32) for name, array in weights.items()},
    )


@pytest.mark.parametrize("last", ["gemm", "mean"])
@pytest.mark.parametrize("io", ["float", "int8"])
def test_the_mean_is_rounded_only_for_integer_ends(
    save_model: Save,
    rng: np.random.Generator,
    data: Path,
    tmp_path: Path,
    last: str,
    io: str,
) -> None:
    path = classifier(save_model, rng, last)
    made = edgeopt.convert(
        path, to="onnx,tflite", precision="int8", calibration=data, evaluation=data,
        output=tmp_path / "out", io=io, min_sqnr=-100,
    )  # fmt: skip
    onnx, tflite = made.artifacts
    file = read_tflite(Path(tflite.path))
    (mean,) = [op for op in file.operators if op.code == "MEAN"]
    assert (file.tensors[mean.outputs[0]].quantized is None) == (io == "float")
    if io == "float":
        checks = [a.manifest.verification for a in (onnx, tflite)]
        levels = [c.worst.sqnr_db for c in checks if c is not None]
        assert levels[0] is not None
        assert levels[1] is not None
        assert levels[1] > levels[0] - 0.5
