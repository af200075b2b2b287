"""Preprocessing is for pictures: asked for without any, it is refused before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import UsageError
from edgeopt.core.preprocessing import Preprocessing


def test_a_model_that_takes_no_pictures_has_nothing_preprocessed(
    save_model: Callable[..., Path], tmp_path: Path
) -> None:
    ids = [("ids", TensorProto.FLOAT, ["batch", 4])]
    scores = [("scores", TensorProto.FLOAT, ["batch", 4])]
    net = save_model([helper.make_node("Relu", ["ids"], ["scores"])], ids, scores)
    told = r"net\.onnx: has no input of 4 dimensions, .*: leave --preprocess, "
    with pytest.raises(UsageError, match=told):
        edgeopt.convert(net, preprocess=Preprocessing(scale=1 / 255), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
