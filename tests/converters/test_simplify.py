"""The simplified graph: what is gone, and that it still computes the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.simplify import simplify

Save = Callable[..., Path]


@pytest.fixture
def untidy(save_model: Save, rng: np.random.Generator) -> Path:
    """Conv with BatchNorm, a mean over the image axes, constants to fold, dead nodes, traces."""
    ones = np.ones(4, np.float32)
    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
            helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"], "norm"),
            helper.make_node("Mul", ["n", "factor"], ["s"], "scale"),
            helper.make_node("Relu", ["n"], ["unused"], "dead"),
            helper.make_node("ReduceMean", ["s", "axes"], ["p"], "mean", keepdims=0),
            helper.make_node("Add", ["one", "one"], ["two"], "fold_me"),
            helper.make_node("Add", ["p", "two"], ["y"], "shift"),
        ],
        [("x", TensorProto.FLOAT, ["s77", 2, 6, 6])],
        [("y", TensorProto.FLOAT, ["s77", 4])],
        {
            "w": rng.standard_normal((4, 2, 3, 3)).astype(np.float32),
            "g": 2 * ones, "b": ones, "m": 0.5 * ones, "v": 3 * ones,
            "one": ones, "factor": np.full((4, 1, 1), 2, np.float32),
            "axes": np.array([-1, -2], np.int64),
        },
    )  # fmt: skip
    model = onnx.load(path)
    model.graph.node[0].doc_string = "File /home/me/train.py"
    model.graph.node[0].metadata_props.add(key="stack_trace", value="File /home/me/train.py")
    model.metadata_props.add(key="author", value="/home/me")
    onnx.save(model, path)
    return path


def test_batchnorm_constants_and_dead_nodes_are_gone(untidy: Path, tmp_path: Path) -> None:
    graph = simplify(untidy, tmp_path / "float.onnx", "net")
    ops = [n.op_type for n in onnx.load(graph.path).graph.node]
    assert ops == ["Conv", "GlobalAveragePool", "Flatten", "Add"]


def test_it_computes_the_same(untidy: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    graph = simplify(untidy, tmp_path / "float.onnx", "net")
    x = {"x": rng.standard_normal((3, 2, 6, 6)).astype(np.float32)}
    before, after = (ort.InferenceSession(str(p)).run(None, x)[0] for p in (untidy, graph.path))
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def test_names_of_ends_and_dimensions(untidy: Path, tmp_path: Path) -> None:
    graph = simplify(untidy, tmp_path / "float.onnx", "net")
    assert str(graph.inputs[0]) == "x:float32[batch,2,6,6]"
    assert graph.outputs[0].shape == ("batch", 4)
    assert graph.outputs[0].name == "y"


def test_no_traces_or_paths_stay(untidy: Path, tmp_path: Path) -> None:
    graph = simplify(untidy, tmp_path / "float.onnx", "net")
    assert b"/home/me" not in graph.path.read_bytes()
    assert {o.domain for o in onnx.load(graph.path).opset_import} == {""}


def test_the_same_model_gives_the_same_bytes(untidy: Path, tmp_path: Path) -> None:
    digests = {simplify(untidy, tmp_path / f"{i}.onnx", "net").sha256 for i in range(2)}
    assert len(digests) == 1


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[2, 3], [3, 2], [-2, -1], [1, 2], [2]])
def test_only_means_over_the_image_become_pools(
    save_model: Save, tmp_path: Path, axes: list[int], keepdims: int, rng: np.random.Generator
) -> None:
    path = save_model(
        [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=keepdims)],
        [("x", TensorProto.FLOAT, [1, 2, 3, 4])],
        [("y", TensorProto.FLOAT, None)],
        {"axes": np.array(axes)},
    )
    graph = simplify(path, tmp_path / "float.onnx", "net")
    x = {"x": rng.standard_normal((1, 2, 3, 4)).astype(np.float32)}
    before, after = (ort.InferenceSession(str(p)).run(None, x)[0] for p in (path, graph.path))
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-7)
    pooled = "GlobalAveragePool" in [n.op_type for n in onnx.load(graph.path).graph.node]
    assert pooled is (sorted(a % 4 for a in axes) == [2, 3])
