"""ONNX files as sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.core.errors import EdgeOptError, ModelError, UnsupportedError, UsageError

Save = Callable[..., Path]


def matmul(save_model: Save, **kwargs: object) -> Path:
    return save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, ["n", 4])],
        [("y", TensorProto.FLOAT, ["n", 2])],
        {"w": np.ones((4, 2), np.float32)},
        **kwargs,
    )


def test_external_data_is_followed(save_model: Save, tmp_path: Path) -> None:
    path = matmul(save_model)
    model = onnx.load(path)
    onnx.save(
        model, tmp_path / "big.onnx", save_as_external_data=True, location="big.data",
        size_threshold=0,
    )  # fmt: skip
    assert (tmp_path / "big.data").exists()
    result = edgeopt.convert(tmp_path / "big.onnx", output=tmp_path / "out")
    written = onnx.load(result.artifacts[0].path, load_external_data=False)
    assert not any(t.external_data for t in written.graph.initializer)


def test_external_data_may_not_leave_the_folder(save_model: Save, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    onnx.save(
        onnx.load(matmul(save_model)), folder / "m.onnx", save_as_external_data=True,
        location="w.data", size_threshold=0,
    )  # fmt: skip
    (folder / "w.data").rename(tmp_path / "w.data")
    model = onnx.load(folder / "m.onnx", load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../w.data"
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError):
        edgeopt.convert(folder / "m.onnx", output=tmp_path / "out")


def test_missing_external_data_is_said(save_model: Save, tmp_path: Path) -> None:
    onnx.save(
        onnx.load(matmul(save_model)), tmp_path / "m.onnx", save_as_external_data=True,
        location="w.data", size_threshold=0,
    )  # fmt: skip
    (tmp_path / "w.data").unlink()
    with pytest.raises(ModelError, match=r"w\.data"):
        edgeopt.convert(tmp_path / "m.onnx", output=tmp_path / "out")


def test_an_old_opset_is_converted_up(save_model: Save, tmp_path: Path) -> None:
    result = edgeopt.convert(matmul(save_model, opset=9), output=tmp_path / "out")
    assert onnx.load(result.artifacts[0].path).opset_import[0].version >= 13


def test_a_quantized_model_is_not_a_source(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(conv_net, precision="int8", calibration=conv_data, output=tmp_path)
    with pytest.raises(ModelError, match="quantized already"):
        edgeopt.convert(made.artifacts[0].path, output=tmp_path / "out")


def test_nor_is_one_that_others_quantized(save_model: Save, tmp_path: Path) -> None:
    path = save_model(
        [
            helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
            helper.make_node("MatMulInteger", ["q", "w", "z"], ["n"]),
            helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["f", "s"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["batch", 4])],
        [("y", TensorProto.FLOAT, ["batch", 4])],
        {"w": np.eye(4, dtype=np.uint8)},
    )
    with pytest.raises(ModelError, match=r"quantized already .*start from the float model"):
        edgeopt.convert(path, precision="fp16", output=tmp_path / "out")


@pytest.mark.parametrize("end", ["input", "output"])
def test_ends_of_which_there_are_no_arrays_are_refused(
    save_model: Save, tmp_path: Path, end: str
) -> None:
    kinds = {"input": TensorProto.FLOAT, "output": TensorProto.FLOAT, end: TensorProto.BFLOAT16}
    path = save_model(
        [helper.make_node("Cast", ["x"], ["y"], to=kinds["output"])],
        [("x", kinds["input"], ["batch", 4])],
        [("y", kinds["output"], ["batch", 4])],
    )
    with pytest.raises(UnsupportedError, match=r"[xy]:bfloat16\[batch,4\] is of a type of numbers"):
        edgeopt.convert(path, output=tmp_path / "out")


def test_a_dynamic_dimension_can_be_fixed(save_model: Save, tmp_path: Path) -> None:
    result = edgeopt.convert(matmul(save_model), input=["x:float32[3,4]"], output=tmp_path / "out")
    assert result.artifacts[0].manifest.inputs[0].shape == (3, 4)


def test_a_size_of_minus_one_is_dynamic(save_model: Save, tmp_path: Path) -> None:
    # As PaddlePaddle's exporter writes it.
    path = save_model(
        [helper.make_node("Relu", ["x"], ["y"])],
        [("x", TensorProto.FLOAT, [-1, 4])],
        [("y", TensorProto.FLOAT, [-1, 4])],
    )
    made = edgeopt.convert(path, input=["x:float32[batch,4]"], output=tmp_path / "out")
    assert made.artifacts[0].manifest.inputs[0].shape == ("batch", 4)
    with pytest.raises(UsageError, match=r"has x:float32\[\?,4\]: only its dynamic .* as \?"):
        edgeopt.convert(path, input=["x:float32[2,5]"], output=tmp_path / "out")
    assert isinstance(read_artifact(path).inputs[0].shape[0], str)


def test_an_input_can_become_a_constant(save_model: Save, tmp_path: Path) -> None:
    then = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["t"])], "then", [],
        [helper.make_tensor_value_info("t", TensorProto.FLOAT, None)],
    )  # fmt: skip
    other = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["e"])], "else", [],
        [helper.make_tensor_value_info("e", TensorProto.FLOAT, None)],
    )  # fmt: skip
    path = save_model(
        [
            helper.make_node("Equal", ["rate", "wanted"], ["same"]),
            helper.make_node("If", ["same"], ["y"], then_branch=then, else_branch=other),
        ],
        [("x", TensorProto.FLOAT, [2]), ("rate", TensorProto.INT64, [])],
        [("y", TensorProto.FLOAT, [2])],
        {"wanted": np.array(16000)},
    )
    result = edgeopt.convert(path, input=["rate=16000"], output=tmp_path / "out")
    manifest = result.artifacts[0].manifest
    assert [i.name for i in manifest.inputs] == ["x"]
    ops = [n.op_type for n in onnx.load(result.artifacts[0].path).graph.node]
    assert ops == ["Relu"]
    assert manifest.source_check is not None  # the source was fed the constant
    assert manifest.source_check.passed


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("z:float32[1,4]", "has no such input: it has: x"),
        ("z=3", "has no such input"),
        ("x:float32[3,5]", "only its dynamic dimensions"),
        ("x:int64[3,4]", "only its dynamic dimensions"),
        ("x:float32[4]", "only its dynamic dimensions"),
    ],
)
def test_inputs_that_do_not_fit(save_model: Save, tmp_path: Path, option: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        edgeopt.convert(matmul(save_model), input=[option], output=tmp_path / "out")


def test_a_missing_file_and_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        edgeopt.convert(tmp_path / "gone.onnx")
    with pytest.raises(ModelError, match="no such file"):
        edgeopt.convert(tmp_path / "gone")
    (tmp_path / "model.pb").touch()
    with pytest.raises(UsageError, match="not a kind of model"):
        edgeopt.convert(tmp_path / "model.pb")


@pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.98])
def test_a_truncated_model_is_one_line(conv_net: Path, tmp_path: Path, keep: float) -> None:
    data = conv_net.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ModelError) as error:
        edgeopt.convert(path, output=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [b"", b"\x08\x07"])
def test_a_file_that_protobuf_takes_for_a_model(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "none.onnx").write_bytes(data)
    with pytest.raises(ModelError, match="without a graph"):
        edgeopt.convert(tmp_path / "none.onnx", output=tmp_path / "out")


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_a_constant_input_of_any_float(save_model: Save, tmp_path: Path, kind: int) -> None:
    path = save_model(
        [helper.make_node("Cast", ["s"], ["f"], to=1), helper.make_node("Mul", ["x", "f"], ["y"])],
        [("x", TensorProto.FLOAT, ["n", 4]), ("s", kind, [1])],
        [("y", TensorProto.FLOAT, ["n", 4])],
    )
    result = edgeopt.convert(path, input=["s=0.5"], output=tmp_path / "out")
    assert result.artifacts[0].manifest.source_check is not None
    assert result.artifacts[0].manifest.source_check.passed


def test_an_operator_the_runtime_lacks_is_named(save_model: Save, tmp_path: Path) -> None:
    path = matmul(save_model)
    model = onnx.load(path)
    model.graph.node[0].op_type = "FancyOp"
    model.graph.node[0].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    onnx.save(model, path)
    with pytest.raises(UnsupportedError, match="FancyOp"):
        edgeopt.convert(path, output=tmp_path / "out")


def test_a_model_that_lies_about_its_shapes(save_model: Save, tmp_path: Path) -> None:
    path = save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, ["n", 5])],
        [("y", TensorProto.FLOAT, ["n", 2])],
        {"w": np.ones((4, 2), np.float32)},
    )
    with pytest.raises(EdgeOptError) as error:
        edgeopt.convert(path, output=tmp_path / "out")
    assert "\n" not in str(error.value)
