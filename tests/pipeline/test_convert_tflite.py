"""Conversions to TFLite: what the artifacts take, and what is known of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import MissingExtraError, UnsupportedError, UsageError
from edgeopt.core.layout import Layout

Save = Callable[..., Path]


@pytest.mark.parametrize(("layout", "shape"), [(None, [1, 3, 8, 8]), ("nhwc", [1, 8, 8, 3])])
def test_the_layout_is_the_user_s(
    conv_net: Path, conv_data: Path, tmp_path: Path, layout: str | None, shape: list[int]
) -> None:
    made = edgeopt.convert(
        conv_net, to="onnx,tflite", layout=layout, calibration=conv_data, output=tmp_path / "out"
    )
    onnx, tflite = (a.manifest for a in made.artifacts)
    (detail,) = Interpreter(made.artifacts[1].path).get_input_details()
    assert list(detail["shape"]) == shape
    assert (onnx.recipe.layout, tflite.recipe.layout) == (None, layout or Layout.NCHW)
    assert tflite.verification is not None
    assert tflite.verification.reference == "float graph"
    assert tflite.verification.data.kind == "npz"
    assert tflite.verification.worst.sqnr_db is None or tflite.verification.worst.sqnr_db > 100
    assert tflite.builtin is not None
    assert tflite.builtin.passed
    assert tflite.delegation is not None
    assert (tflite.delegation.partitions, tflite.delegation.outside) == (1, ())
    assert tflite.versions["ai-edge-litert"]
    assert "ai-edge-litert" not in onnx.versions


def test_making_it_again_gives_the_same_bytes(conv_net: Path, tmp_path: Path) -> None:
    digests = {
        edgeopt.convert(conv_net, to="tflite", output=tmp_path / n).artifacts[0].manifest.sha256
        for n in "ab"
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layout": "nhwc"}, "--layout is of TFLite artifacts, and none is asked for"),
        ({"to": "tflite", "layout": "hwc"}, "no layout 'hwc'.*known: nchw, nhwc"),
        ({"to": "tflite", "io": "int8"}, "--io is of int8 TFLite artifacts, and none"),
        ({"to": "tflite", "io": "uint8"}, "no ends 'uint8'.*known: float, int8"),
    ],
)
def test_ends_that_go_with_nothing_are_refused_before_any_work(
    tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        edgeopt.convert("gone.pt2", output=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_nhwc_needs_an_image(save_model: Save, tmp_path: Path) -> None:
    weights = {"w": np.eye(4, dtype=np.float32)}
    net = save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        [("x", TensorProto.FLOAT, ["batch", 4])],
        [("y", TensorProto.FLOAT, ["batch", 4])],
        weights,
    )
    with pytest.raises(UsageError, match=r"--layout nhwc is of image inputs \(4 dimensions\)"):
        edgeopt.convert(net, to="tflite", layout="nhwc", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def wide_net(save_model: Save) -> Path:
    """A net that takes images of any width."""
    return save_model(
        [helper.make_node("Relu", ["image"], ["y"], "relu")],
        [("image", TensorProto.FLOAT, ["batch", 3, 8, "width"])],
        [("y", TensorProto.FLOAT, ["batch", 3, 8, "width"])],
    )


def test_a_size_that_is_not_fixed_is_told_and_input_fixes_it(
    wide_net: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnsupportedError, match=r"dimension 3 of input 'image' \(width\)") as told:
        edgeopt.convert(wide_net, to="tflite", output=out)
    assert "--input 'image:float32[batch,3,8,128]'" in str(told.value)
    assert not out.exists()
    edgeopt.convert(wide_net, to="tflite", input=["image:float32[batch,3,8,128]"], output=out)
    assert sorted(p.name for p in out.iterdir()) == ["net.fp32.tflite", "net.fp32.tflite.json"]


def test_a_missing_extra_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flatbuffers", None)
    with pytest.raises(MissingExtraError, match=r"'flatbuffers'.*pip install 'edgeopt\[tflite\]'"):
        edgeopt.convert("gone.pt2", to="onnx,tflite", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
