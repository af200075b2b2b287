"""What a format can express of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import UsageError

Save = Callable[..., Path]


def test_a_model_that_fits(conv_net: Path) -> None:
    found = edgeopt.coverage(conv_net)
    assert found.fits
    assert found.mapped["Conv"] == 2
    assert found.becomes["CONV_2D"] == found.becomes["DEPTHWISE_CONV_2D"] == 1


def test_input_fixes_a_dimension(save_model: Save) -> None:
    net = save_model(
        [helper.make_node("Relu", ["x"], ["y"], "relu")],
        [("x", TensorProto.FLOAT, ["batch", "words"])],
        [("y", TensorProto.FLOAT, ["batch", "words"])],
    )
    assert not edgeopt.coverage(net).fits
    assert edgeopt.coverage(net, input=["x:float32[batch,16]"]).fits


def test_onnx_is_no_question(conv_net: Path) -> None:
    with pytest.raises(UsageError, match="every model that can be read can be onnx"):
        edgeopt.coverage(conv_net, "onnx")
