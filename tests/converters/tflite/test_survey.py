"""Everything that TFLite can't express, found at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.survey import Survey, check_fits, survey_file
from edgeopt.core.errors import UnsupportedError

Save = Callable[..., Path]


@pytest.fixture
def mixed_net(save_model: Save) -> Path:
    """Operators that map before, between and behind two that don't; one of a shape nobody knows."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], "first"),
        helper.make_node("Det", ["a"], ["b"], "determinant"),
        helper.make_node("Relu", ["b"], ["c"], "between"),
        helper.make_node("NonZero", ["c"], ["d"], "places"),
        helper.make_node("Cast", ["d"], ["e"], "behind", to=TensorProto.FLOAT),
        helper.make_node("Neg", ["c"], ["y"], "last"),
    ]
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["batch", 3, 3])],
        [("y", TensorProto.FLOAT, ["batch"]), ("e", TensorProto.FLOAT, [1, "found"])],
    )


def found(path: Path) -> Survey:
    return survey_file(path, "net")


def test_every_refusal_is_found_with_its_reason(mixed_net: Path) -> None:
    surveyed = found(mixed_net)
    assert [(r.op, r.node) for r in surveyed.refused] == [
        ("Det", "determinant"), ("NonZero", "places"),
    ]  # fmt: skip
    assert all(r.reason and r.hint for r in surveyed.refused)
    assert not any(r.reason.startswith(r.op) for r in surveyed.refused)
    assert surveyed.mapped == {"Relu": 2, "Neg": 1}
    assert surveyed.unseen == {"Cast": 1}


def test_what_fits_has_no_refusals(conv_net: Path) -> None:
    surveyed = found(conv_net)
    assert (surveyed.refused, surveyed.unseen) == ((), {})
    assert surveyed.becomes["DEPTHWISE_CONV_2D"] == 1


def test_a_size_that_is_not_fixed_is_a_refusal(save_model: Save) -> None:
    path = save_model(
        [helper.make_node("Relu", ["x"], ["y"], "relu")],
        [("x", TensorProto.FLOAT, ["batch", "words"])],
        [("y", TensorProto.FLOAT, ["batch", "words"])],
    )
    (refusal,) = found(path).refused
    assert "dimension 1 of input 'x' (words)" in refusal.reason
    assert "--input 'x:float32[batch,128]'" in refusal.hint


def test_the_first_is_told_with_how_many_there_are(mixed_net: Path, conv_net: Path) -> None:
    check_fits(conv_net, "net")
    told = r"net: Det 'determinant': .*; 1 node more is in the way: .*`edgeopt inspect net --for tf"
    with pytest.raises(UnsupportedError, match=told):
        check_fits(mixed_net, "net")


def test_an_operator_of_another_domain_is_said_to_be(save_model: Save) -> None:
    import onnx

    path = save_model(
        [helper.make_node("Gelu", ["x"], ["y"], "gelu", domain="com.microsoft")],
        [("x", TensorProto.FLOAT, [1, 4])],
        [("y", TensorProto.FLOAT, [1, 4])],
        {"unused": np.zeros(1, np.float32)},
    )
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, path)
    (refusal,) = found(path).refused
    assert "it is of the domain 'com.microsoft'" in refusal.reason
