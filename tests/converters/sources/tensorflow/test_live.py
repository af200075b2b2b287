"""Keras models in memory, and those that code the user names makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import edgeopt
from edgeopt.core.errors import EdgeOptError, ModelError, UsageError

CODE = """
import keras

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, left, right=None):
        x = left if right is None else left + right
        return {"scores": self.dense(x), "sum": x}

def net():
    return Net()

def functional():
    return keras.Sequential([keras.Input((4,), name="left"), keras.layers.Dense(3)])

def broken():
    raise RuntimeError("no such checkpoint")
"""


@pytest.fixture
def code(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(CODE)
    return str(path)


def test_a_live_model(net: Any, tmp_path: Path) -> None:
    (artifact,) = edgeopt.convert(net, output=tmp_path / "out").artifacts
    assert Path(artifact.path).name == "small.fp32.onnx"
    assert artifact.manifest.source.kind == "keras-model"


def test_a_subclassed_model_is_told_its_inputs(code: str, tmp_path: Path) -> None:
    made = edgeopt.convert(
        f"{code}:net",
        input=["left:float32[batch,4]", "right:float32[batch,4]"],
        output=tmp_path / "out",
    )
    manifest = made.artifacts[0].manifest
    assert [i.name for i in manifest.inputs] == ["left", "right"]
    assert [str(o) for o in manifest.outputs] == ["scores:float32[batch,3]", "sum:float32[batch,4]"]
    assert manifest.source.sha256


def test_a_subclassed_model_that_was_called_knows_its_input(code: str, tmp_path: Path) -> None:
    from edgeopt.core.usercode import load_named

    model = load_named(f"{code}:net")()
    model(np.zeros((2, 4), np.float32))
    (artifact,) = edgeopt.convert(model, output=tmp_path / "out").artifacts
    assert [str(i) for i in artifact.manifest.inputs] == ["left:float32[batch,4]"]


@pytest.mark.parametrize("factory", ["net", "functional"])
def test_weights_are_loaded(code: str, tmp_path: Path, factory: str) -> None:
    from edgeopt.core.usercode import load_named

    model = load_named(f"{code}:{factory}")()
    model(np.zeros((1, 4), np.float32))
    model.save_weights(tmp_path / "net.weights.h5")
    (artifact,) = edgeopt.convert(
        f"{code}:{factory}",
        weights=tmp_path / "net.weights.h5",
        input=["left:float32[batch,4]"],
        output=tmp_path / "out",
    ).artifacts
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    got, *_ = onnxruntime.InferenceSession(artifact.path).run(None, {"left": x})
    expected = model(x)
    want = expected["scores"] if isinstance(expected, dict) else expected
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert artifact.manifest.source.weights_sha256


@pytest.mark.parametrize(
    ("name", "inputs", "told"),
    [
        ("broken", [], r"raised RuntimeError: no such checkpoint.*nets\.py"),
        ("net", [], r"the shape of its input 'left' isn't known.*--input"),
        ("net", ["other:float32[1]"], "call has no such parameter.*left, right"),
        ("net", ["left:float32[1,4]", "right:float32[3,7]"], "can't trace it with these inputs"),
        ("functional", ["other:float32[1]"], "has no such input.*left"),
        ("functional", ["left:float32[1,5]"], "only its dynamic dimensions can be fixed"),
    ],
)
def test_what_can_be_wrong(
    code: str, tmp_path: Path, name: str, inputs: list[str], told: str
) -> None:
    with pytest.raises(EdgeOptError, match=told) as error:
        edgeopt.convert(f"{code}:{name}", input=inputs, output=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_weights_that_are_not_the_models(code: str, tmp_path: Path, net: Any) -> None:
    net.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "cut.weights.h5").write_bytes(b"\x89HDF not really")
    (tmp_path / "net.safetensors").write_bytes(b"")
    name = f"{code}:functional"
    for file, kind, told in (
        ("other.weights.h5", ModelError, "don't fit"),
        ("cut.weights.h5", ModelError, "don't fit"),
        ("net.safetensors", UsageError, "not a file of Keras weights"),
        ("gone.weights.h5", ModelError, "no such file"),
    ):
        with pytest.raises(kind, match=told):
            edgeopt.convert(name, weights=tmp_path / file, output=tmp_path / "out")
