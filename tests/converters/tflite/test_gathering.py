"""Elements picked by their places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]

GRID = np.stack(np.meshgrid(np.arange(2), np.arange(3), indexing="ij"), -1).astype(np.int64)


@pytest.mark.parametrize(
    ("places", "gathers"),
    [(GRID.reshape(2, 1, 3, 2), False), (GRID[:, ::-1], True), (GRID[:1], True)],
)
def test_picking_everything_in_order_is_another_shape(
    save_model: Callable[..., Path], both: Both, places: np.ndarray, gathers: bool
) -> None:
    path = save_model(
        [helper.make_node("GatherND", ["x", "places"], ["y"], "pick")],
        [("x", TensorProto.FLOAT, [2, 3, 4])],
        [("y", TensorProto.FLOAT, None)],
        {"places": np.ascontiguousarray(places)},
    )
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    (expected,), (found,) = both(path, {"x": x})
    np.testing.assert_array_equal(found, expected)
    codes = [op.code for op in compile_model(ir.load(path)).operators]
    assert ("GATHER_ND" in codes) is gathers
