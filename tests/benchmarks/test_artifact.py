from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.benchmarks.artifact import files_of, read_artifact
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.manifest import Manifest, Recipe, SourceRecord, write_manifest
from edgeopt.core.precision import Format, Precision
from edgeopt.core.tensors import TensorSpec


def test_what_an_artifact_is(make_model: Callable[..., Path]) -> None:
    path = make_model()
    artifact = read_artifact(path)
    assert artifact.inputs == (TensorSpec(name="image", dtype="float32", shape=("N", 1, 16, 16)),)
    assert artifact.size_bytes == path.stat().st_size
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artifact.precision is None


def test_the_manifest_tells_the_precision(make_model: Callable[..., Path]) -> None:
    path = make_model()
    plain = read_artifact(path)
    manifest = Manifest(
        artifact=path.name,
        sha256=plain.sha256,
        size_bytes=plain.size_bytes,
        format=Format.ONNX,
        precision=Precision.INT8,
        source=SourceRecord(kind="onnx", location="m.onnx"),
        graph_sha256="",
        recipe=Recipe(target="x86-64-vnni"),
        versions={},
        inputs=plain.inputs,
        outputs=(),
    )
    write_manifest(path, manifest)
    assert read_artifact(path).precision is Precision.INT8


def test_external_data_of_a_branch_counts_too(tmp_path: Path) -> None:
    float32, shape = TensorProto.FLOAT, [4]
    inner = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["t"])], "branch", [],
        [helper.make_tensor_value_info("t", float32, shape)],
        [numpy_helper.from_array(np.ones(4, np.float32), "w")],
    )  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)], "g",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", float32, shape)],
    )  # fmt: skip
    path = tmp_path / "m.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        path, save_as_external_data=True, location="branch.data", size_threshold=0,
    )  # fmt: skip
    weights = tmp_path / "branch.data"
    assert files_of(read_artifact(path)) == [path, weights]
    weights.unlink()
    with pytest.raises(ModelError, match=r"branch\.data, which is not there"):
        read_artifact(path)


def test_external_data_counts_and_must_be_there(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = onnx.load(make_model(channels=64))
    path = tmp_path / "split.onnx"
    onnx.save(model, path, save_as_external_data=True, location="split.data", size_threshold=0)
    weights = tmp_path / "split.data"
    assert read_artifact(path).size_bytes == path.stat().st_size + weights.stat().st_size
    weights.unlink()
    with pytest.raises(ModelError, match=r"weights are in split\.data"):
        read_artifact(path)


def test_constants_listed_as_inputs_are_not_inputs(save_graph: Callable[..., Path]) -> None:
    x, w, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [4]) for n in "xwy")
    weight = numpy_helper.from_array(np.ones(4, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g", [x, w], [y], [weight]
    )
    assert [spec.name for spec in read_artifact(save_graph(graph)).inputs] == ["x"]


def test_an_unnamed_dynamic_dimension_gets_a_name(save_graph: Callable[..., Path]) -> None:
    x, y = (helper.make_tensor_value_info(n, TensorProto.INT64, [None, 2]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    (spec,) = read_artifact(save_graph(graph)).inputs
    assert (spec.dtype, spec.shape) == ("int64", ("x.0", 2))


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"not a model at all"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx: ") as caught:
        read_artifact(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_a_truncated_model(make_model: Callable[..., Path], share: float) -> None:
    path = make_model()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="truncated"):
        read_artifact(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_artifact(tmp_path / "none.onnx")


@pytest.mark.parametrize("name", ["model.kit", "model.pt2", "model"])
def test_a_format_that_cannot_be_benchmarked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnsupportedError, match=r"suffix \.onnx"):
        read_artifact(tmp_path / name)


def test_text_inputs_are_refused(save_graph: Callable[..., Path]) -> None:
    x, y = (helper.make_tensor_value_info(n, TensorProto.STRING, [1]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    with pytest.raises(UnsupportedError, match="'x' is not a tensor of numbers"):
        read_artifact(save_graph(graph))


def test_an_engine_without_its_manifest_cannot_be_fed(tmp_path: Path) -> None:
    (tmp_path / "model.engine").write_bytes(b"ftrt")
    with pytest.raises(UnsupportedError, match="known from its manifest, and there is none beside"):
        read_artifact(tmp_path / "model.engine")
