"""Models in LiteRT: arrays in and out as the rest of EdgeOpt has them, complaints as one line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.converters.tflite.model import Model, Operator, Options, Quantization, Tensor
from edgeopt.core.errors import DataError, MissingExtraError, ModelError, UnsupportedError
from edgeopt.core.layout import Layout
from edgeopt.core.litert import open_litert


@pytest.mark.parametrize("xnnpack", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
def test_data_has_channels_first_whatever_the_file_has(
    conv_net: Path, tflite_net: Path, rng: np.random.Generator, xnnpack: bool, batch: int
) -> None:
    image = rng.standard_normal((batch, 3, 8, 8)).astype(np.float32)
    (expected,) = ort.InferenceSession(str(conv_net)).run(None, {"image": image})
    model = open_litert(tflite_net, layout=Layout.NHWC, xnnpack=xnnpack)
    (found,) = model.run({"image": image}, "here")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert (model.inputs, model.outputs) == (("image",), ("scores",))


def test_a_batch_can_grow_and_shrink(tflite_net: Path, rng: np.random.Generator) -> None:
    images = rng.standard_normal((4, 3, 8, 8)).astype(np.float32)
    model = open_litert(tflite_net, layout=Layout.NHWC)
    (together,) = model.run({"image": images}, "here")
    (first,) = model.run({"image": images[:1]}, "here")
    np.testing.assert_allclose(first, together[:1], rtol=1e-5, atol=1e-6)


def test_integer_ends_take_and_give_floats(tmp_path: Path) -> None:
    scale, zero_point = 0.5, 3
    ends = [
        Tensor(name, np.dtype(np.int8), (1, 4), quantization=Quantization((scale,), (zero_point,)))
        for name in ("x", "y")
    ]
    options = Options("ReshapeOptions", {"newShape": np.array([1, 4], np.int32)})
    shape = Tensor("shape", np.dtype(np.int32), (2,), data=np.array([1, 4], np.int32))
    model = Model(ends[:1], ends[1:], [Operator("RESHAPE", [ends[0], shape], ends[1:], options)])
    model.names[0].append("x")
    model.names[1].append("y")
    path = tmp_path / "ends.tflite"
    path.write_bytes(to_flatbuffer(model))
    given = np.array([[0.3, -0.8, 1000.0, -1000.0]], np.float32)
    (found,) = open_litert(path).run({"x": given}, "here")
    np.testing.assert_array_equal(found, [[0.5, -1.0, (127 - 3) * 0.5, (-128 - 3) * 0.5]])
    (kept,) = open_litert(path).run({"x": np.array([[1, 2, 3, 4]], np.int8)}, "here")
    np.testing.assert_array_equal(kept, (np.array([[1, 2, 3, 4]]) - 3) * 0.5)


def test_what_it_writes_stays_off_the_terminal(
    tflite_net: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = open_litert(tflite_net, layout=Layout.NHWC)
    model.run({"image": np.zeros((2, 3, 8, 8), np.float32)}, "here")
    sys.stderr.write("still there\n")
    assert capfd.readouterr().err == "still there\n"


def test_a_sample_that_does_not_fit_is_the_data_s_mistake(tflite_net: Path) -> None:
    model = open_litert(tflite_net, layout=Layout.NHWC)
    with pytest.raises(DataError, match=r"^d\.npz\[3\]: the model fails on this sample: "):
        model.run({"image": np.zeros((1, 3, 9, 9), np.float32)}, "d.npz[3]")


@pytest.mark.parametrize("damage", ["truncated", "empty", "other"])
def test_a_damaged_file_is_one_line(tflite_net: Path, damage: str) -> None:
    content = tflite_net.read_bytes()
    other = {"truncated": content[: len(content) // 2], "empty": b"", "other": b"PK\3\4" * 9}
    tflite_net.write_bytes(other[damage])
    with pytest.raises(ModelError, match=r"conv_net\.tflite: LiteRT can't load it") as raised:
        open_litert(tflite_net)
    assert "\n" not in str(raised.value)


def test_an_operator_that_is_not_there_is_named(tmp_path: Path, custom_tflite: Path) -> None:
    with pytest.raises(UnsupportedError, match="LiteRT lacks its operator FancyOp"):
        open_litert(custom_tflite)


def test_a_missing_extra_names_what_to_install(
    tflite_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.delitem(sys.modules, "ai_edge_litert.interpreter", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeopt\[tflite\]'"):
        open_litert(tflite_net)
