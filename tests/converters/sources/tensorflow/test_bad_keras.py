"""Keras files that are damaged, carry code, or are of another Keras."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeopt
from edgeopt.converters.sources.tensorflow.framework import keras
from edgeopt.converters.sources.tensorflow.safety import check_config
from edgeopt.core.errors import EdgeOptError, ModelError, UnsafeFileError

ASSETS = Path(__file__).parent / "assets"
Rewrite = Callable[[Callable[[str, Any], None]], Path]


@pytest.fixture
def rewritten(keras_file: Path, tmp_path: Path) -> Rewrite:
    """A copy of ``keras_file`` whose JSON members a function was called with, to change them."""

    def rewrite(change: Callable[[str, Any], None]) -> Path:
        path = tmp_path / "changed.keras"
        with zipfile.ZipFile(keras_file) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                if name.endswith(".json"):
                    content = json.loads(data)
                    change(name, content)
                    data = json.dumps(content).encode()
                new.writestr(name, data)
        return path

    return rewrite


def refused(path: Path, tmp_path: Path, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told) as error:
        edgeopt.convert(path, output=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_is_never_run(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "lambda t: (__import__('pathlib').Path('canary').touch(), t)[1]"
    x = keras.Input((2,), name="x")
    model = keras.Model(x, keras.layers.Lambda(eval(code), output_shape=(2,), name="bite")(x))
    model(np.zeros((1, 2), np.float32))
    assert Path("canary").exists()  # it bites
    model.save(f"evil{suffix}")
    Path("canary").unlink()
    refused(tmp_path / f"evil{suffix}", tmp_path, UnsafeFileError, "'bite' is a Lambda, whose code")
    assert not Path("canary").exists()


def test_a_module_that_the_file_names_is_never_imported(
    rewritten: Rewrite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bitten.py").write_text("open('canary', 'w').close()\nclass Layer: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def change(member: str, content: Any) -> None:
        if member == "config.json":
            content["config"]["layers"][1] |= {"module": "bitten", "registered_name": None}

    refused(rewritten(change), tmp_path, ModelError, "isn't registered")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("module", ["keras.utils", "keras.src.saving.saving_lib", "os"])
def test_nothing_but_layers_may_be_named(module: str) -> None:
    entry: dict[str, Any] = {
        "class_name": "get_file",
        "module": module,
        "config": {},
        "registered_name": None,
    }
    with pytest.raises(ModelError, match="is no layer of Keras's"):
        check_config({"layers": [entry]}, "m.keras")


def test_a_custom_layer_is_named_with_the_ways_out(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("mine")
    class Twice(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x * 2.0

    x = keras.Input((2,), name="x")
    keras.Model(x, Twice(name="doubler")(x)).save(tmp_path / "custom.keras")
    edgeopt.convert(tmp_path / "custom.keras", output=tmp_path / "known")  # it is registered
    registered = keras.saving.get_custom_objects()
    del registered["mine>Twice"]
    told = r"'doubler' is a Twice.*file\.py:factory --weights.*register_keras_serializable"
    refused(tmp_path / "custom.keras", tmp_path, ModelError, told)


def test_a_file_of_a_newer_keras(rewritten: Rewrite, tmp_path: Path) -> None:
    def newer(member: str, content: Any) -> None:
        if member == "metadata.json":
            content["keras_version"] = "99.1.0"

    def fancy(member: str, content: Any) -> None:
        newer(member, content)
        if member == "config.json":
            content["config"]["layers"][1]["class_name"] = "FancyConv2D"

    edgeopt.convert(rewritten(newer), output=tmp_path / "still")  # what can be read is
    both = rewritten(fancy)
    refused(both, tmp_path, ModelError, "saved by Keras 99.1.0, newer")


def test_a_keras_file_of_tf_keras_2(tmp_path: Path) -> None:
    refused(ASSETS / "tf_keras_2.keras", tmp_path, ModelError, "pip install tf_keras")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.keras", b"", "not a readable .keras file"),
        ("a.keras", b"PK\x03\x04 not really", "not a readable .keras file"),
        ("a.h5", b"", "not a readable HDF5 file"),
        ("a.hdf5", b"\x89HDF\r\n\x1a\n" + bytes(90), "not a readable HDF5 file"),
    ],
)
def test_a_damaged_file(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, tmp_path, ModelError, told)


def test_a_file_cut_short(keras_file: Path, tmp_path: Path) -> None:
    whole = keras_file.read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "cut.keras", tmp_path, ModelError, "not a readable .keras file")


def test_a_flipped_byte(keras_file: Path, tmp_path: Path) -> None:
    content = bytearray(keras_file.read_bytes())
    with zipfile.ZipFile(keras_file) as archive:
        info = archive.getinfo("model.weights.h5")
    content[info.header_offset + 2000] ^= 0xFF
    (tmp_path / "flipped.keras").write_bytes(content)
    refused(tmp_path / "flipped.keras", tmp_path, ModelError, "is damaged")


def test_weights_alone(net: Any, tmp_path: Path) -> None:
    net.save_weights(tmp_path / "net.weights.h5")
    refused(tmp_path / "net.weights.h5", tmp_path, ModelError, "holds weights without their model")


def test_options_that_do_not_belong(keras_file: Path, tmp_path: Path) -> None:
    for options, told in (
        ({"weights": "w.h5"}, "--weights doesn't go with"),
        ({"signature": "a"}, "--signature doesn't go with"),
        ({"input": ["other:float32[1]"]}, "no such input.*image"),
        ({"input": ["image:float32[1,9,12,3]"]}, "only its dynamic dimensions"),
    ):
        with pytest.raises(EdgeOptError, match=told):
            edgeopt.convert(keras_file, output=tmp_path / "out", **options)
