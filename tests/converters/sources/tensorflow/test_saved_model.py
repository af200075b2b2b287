"""SavedModel folders, of any age."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import edgeopt
from edgeopt.converters.sources.tensorflow.framework import tf
from edgeopt.core.errors import EdgeOptError, ModelError, UnsafeFileError, UsageError


def test_it_is_the_model_that_was_exported(
    net: Any, saved_model: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    made = edgeopt.convert(saved_model, to="onnx,tflite", output=tmp_path / "out")
    manifest = made.artifacts[0].manifest
    assert Path(made.artifacts[0].path).name == "net.fp32.onnx"
    assert (manifest.source.kind, manifest.source.signature) == ("saved-model", "serving_default")
    assert manifest.inputs[0].shape == ("batch", 12, 12, 3)
    image = rng.standard_normal((3, 12, 12, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(made.artifacts[0].path)
    (got,) = session.run(None, {manifest.inputs[0].name: image})
    np.testing.assert_allclose(got, net(image), rtol=1e-5, atol=1e-5)


def test_one_of_several_signatures_is_chosen(two_signatures: Path, tmp_path: Path) -> None:
    for signature, operator in (("double", "Mul"), ("square", "Mul")):
        (artifact,) = edgeopt.convert(
            two_signatures, signature=signature, output=tmp_path / signature
        ).artifacts
        assert artifact.manifest.source.signature == signature
        assert operator in {n.op_type for n in onnx.load(artifact.path).graph.node}
    assert artifact.manifest.outputs[0].name == "squared"


def test_signatures_are_listed(two_signatures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose one with --signature: double, square"):
        edgeopt.convert(two_signatures, output=tmp_path / "out")
    with pytest.raises(UsageError, match="no such signature: it has: double, square"):
        edgeopt.convert(two_signatures, signature="cube", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def of_version_1(tmp_path: Path) -> Path:
    """What TensorFlow 1 wrote: a graph with a session's variables, no Python objects."""
    v1, path = tf.compat.v1, tmp_path / "old"
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (None, 4), "x")
        weight = v1.get_variable("w", (4, 2), initializer=v1.ones_initializer(), use_resource=False)
        y = tf.matmul(x, weight)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(path), {"x": x}, {"y": y})
    return path


def test_a_saved_model_of_tensorflow_1(of_version_1: Path, tmp_path: Path) -> None:
    (artifact,) = edgeopt.convert(of_version_1, output=tmp_path / "out").artifacts
    session = onnxruntime.InferenceSession(artifact.path)
    (got,) = session.run(None, {"x": np.arange(8, dtype=np.float32).reshape(2, 4)})
    assert got.tolist() == [[6, 6], [22, 22]]


def test_a_graph_that_writes_files_is_never_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Evil(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((1,), name="x")])  # type: ignore[untyped-decorator]
        def call(self, x: Any) -> Any:
            with tf.control_dependencies([tf.io.write_file(str(canary), "bitten")]):
                return {"y": x + 1.0}

    module = Evil()
    tf.saved_model.save(module, tmp_path / "evil", {"serving_default": module.call})
    module.call(tf.zeros(1))  # it bites
    assert canary.exists()
    canary.unlink()
    with pytest.raises(UnsafeFileError, match="WriteFile"):
        edgeopt.convert(tmp_path / "evil", output=tmp_path / "out")
    assert not canary.exists()


def test_no_signature(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), tmp_path / "none")
    with pytest.raises(ModelError, match="no signature with inputs and outputs"):
        edgeopt.convert(tmp_path / "none", output=tmp_path / "out")


def test_text_as_an_input(tmp_path: Path) -> None:
    class Length(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])  # type: ignore[untyped-decorator]
        def call(self, text: Any) -> Any:
            return {"length": tf.strings.length(text)}

    module = Length()
    tf.saved_model.save(module, tmp_path / "text", {"serving_default": module.call})
    with pytest.raises(ModelError, match="input 'text' takes strings"):
        edgeopt.convert(tmp_path / "text", output=tmp_path / "out")


def test_an_operator_without_an_onnx_form_is_named(tmp_path: Path) -> None:
    class Odd(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((4,), name="x")])  # type: ignore[untyped-decorator]
        def call(self, x: Any) -> Any:
            with tf.name_scope("odd_layer"):
                return {"y": tf.math.igamma(x, x)}

    module = Odd()
    tf.saved_model.save(module, tmp_path / "odd", {"serving_default": module.call})
    with pytest.raises(EdgeOptError, match=r"Igamma \(in .*odd_layer\) has no ONNX form"):
        edgeopt.convert(tmp_path / "odd", output=tmp_path / "out")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: (path / "saved_model.pb").write_bytes(b"\xff" * 40), "can't be read"),
        (lambda path: (path / "saved_model.pb").write_bytes(b""), "is empty"),
        (lambda path: (path / "saved_model.pb").unlink(), "a folder that isn't a SavedModel"),
        (
            lambda path: (path / "variables" / "variables.index").unlink(),
            "its variables can't be read",
        ),
    ],
    ids=["garbage", "empty", "no graph", "no variables"],
)
def test_a_damaged_folder(saved_model: Path, tmp_path: Path, damage: Any, told: str) -> None:
    import shutil

    shutil.copytree(saved_model, tmp_path / "net")
    damage(tmp_path / "net")
    with pytest.raises(ModelError, match=told) as error:
        edgeopt.convert(tmp_path / "net", output=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
