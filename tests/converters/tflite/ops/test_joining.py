"""Concat and Split of images along any axis: what is joined comes apart again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(axis=st.integers(-4, 3), sizes=st.lists(st.integers(1, 3), min_size=2, max_size=7))
def test_parts_of_any_size(save_model: Save, both: Both, axis: int, sizes: list[int]) -> None:
    """Each part goes through a Relu, so that joining isn't the undoing of splitting only."""
    shape = [2, 3, 4, 5]
    shape[axis] = sum(sizes)
    parts = [f"p{n}" for n in range(len(sizes))]
    path = save_model(
        [
            helper.make_node("Split", ["x", "sizes"], parts, "split", axis=axis),
            *(helper.make_node("Relu", [p], [f"{p}r"], f"relu_{p}") for p in parts[1:]),
            helper.make_node("Concat", [*(f"{p}r" for p in parts[:0:-1]), "p0"], ["y"], "join",
                             axis=axis),
        ],
        [("x", TensorProto.FLOAT, shape)],
        [("y", TensorProto.FLOAT, shape)],
        {"sizes": np.array(sizes, np.int64)},
    )  # fmt: skip
    x = {"x": np.random.default_rng(5).standard_normal(shape).astype(np.float32)}
    expected, found = both(path, x)
    np.testing.assert_array_equal(found[0], expected[0])
