"""Reductions and softmaxes over any axes, with the axis kept or not, beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
SHAPE = (2, 3, 4, 5)
REDUCTIONS = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2",
              "ReduceLogSumExp", "ReduceSumSquare")  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    op=st.sampled_from(REDUCTIONS),
    axes=st.sets(st.integers(-4, 3), min_size=1, max_size=3),
    keep=st.booleans(),
    convolved=st.booleans(),
)
def test_any_axes(
    save_model: Save, both: Both, op: str, axes: set[int], keep: bool, convolved: bool
) -> None:
    whole = sorted({axis % 4 for axis in axes})
    shape = [1 if n in whole else d for n, d in enumerate(SHAPE) if keep or n not in whole]
    nodes = [helper.make_node(op, ["image" if convolved else "x", "axes"], ["y"], "reduce",
                              keepdims=int(keep))]  # fmt: skip
    constants = {"axes": np.array(whole, np.int64)}
    if convolved:  # so that what is reduced is stored with channels last
        nodes.insert(0, helper.make_node("Conv", ["x", "w"], ["image"], "conv"))
        constants["w"] = np.random.default_rng(1).random((3, 3, 1, 1)).astype(np.float32)
    path = save_model(
        nodes, [("x", TensorProto.FLOAT, list(SHAPE))], [("y", TensorProto.FLOAT, shape)], constants
    )
    x = {"x": np.random.default_rng(2).random(SHAPE).astype(np.float32)}
    expected, found = both(path, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", range(4))
def test_a_softmax_of_an_image_along_any_axis(
    save_model: Save, both: Both, rng: np.random.Generator, op: str, axis: int
) -> None:
    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
            helper.make_node(op, ["c"], ["y"], "soft", axis=axis),
        ],
        [("x", TensorProto.FLOAT, list(SHAPE))],
        [("y", TensorProto.FLOAT, list(SHAPE))],
        {"w": rng.standard_normal((3, 3, 1, 1)).astype(np.float32)},
    )
    x = {"x": rng.standard_normal(SHAPE).astype(np.float32)}
    expected, found = both(path, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)
