"""Zeros that a Pad puts around an image, and the convolution that can do it itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
AMOUNTS = st.integers(0, 2)


def padded_net(
    save_model: Save, amounts: list[int], *, fill: float = 0.0, stride: int = 1, own: int = 0
) -> Path:
    """A Pad before a 3 x 3 convolution of an image of 7 x 6."""
    weight = np.random.default_rng(3).standard_normal((4, 2, 3, 3)).astype(np.float32)
    top, left, bottom, right = amounts
    nodes = [
        helper.make_node("Pad", ["x", "pads", "fill"], ["p"], "pad"),
        helper.make_node("Conv", ["p", "w"], ["y"], "conv", strides=[stride, stride],
                         pads=[own] * 4),
    ]  # fmt: skip
    shape = [(size + a + b + 2 * own - 3) // stride + 1
             for size, a, b in ((7, top, bottom), (6, left, right))]  # fmt: skip
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, [1, 2, 7, 6])],
        [("y", TensorProto.FLOAT, [1, 4, *shape])],
        {
            "w": weight, "fill": np.float32(fill),
            "pads": np.array([0, 0, top, left, 0, 0, bottom, right], np.int64),
        },
    )  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(AMOUNTS, min_size=4, max_size=4), stride=st.integers(1, 2), own=AMOUNTS,
    fill=st.sampled_from([0.0, 1.5]),
)  # fmt: skip
def test_any_pad_gives_what_onnx_says(
    save_model: Save, both: Both, amounts: list[int], stride: int, own: int, fill: float
) -> None:
    path = padded_net(save_model, amounts, fill=fill, stride=stride, own=own)
    x = {"x": np.random.default_rng(4).standard_normal((1, 2, 7, 6)).astype(np.float32)}
    expected, found = both(path, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("fill", "left"), [(0.0, []), (1.5, ["PADV2"])])
def test_only_zeros_are_the_convolutions(save_model: Save, fill: float, left: list[Any]) -> None:
    model = compile_model(ir.load(padded_net(save_model, [1, 1, 1, 1], fill=fill)))
    assert [op.code for op in model.operators if "PAD" in op.code] == left
