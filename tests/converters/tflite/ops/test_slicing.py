"""Slices by steps, for which XNNPACK has no kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]
BIG = 2**31 - 1


@pytest.fixture
def slices(save_model: Save) -> Callable[..., Path]:
    """A slice along some axes of ``(batch, 6, 9, 4)``."""

    def make(axes: list[int], starts: list[int], ends: list[int], steps: list[int]) -> Path:
        numbers = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
        return save_model(
            [helper.make_node("Slice", ["x", *numbers], ["y"], "slice")],
            [("x", TensorProto.FLOAT, ["batch", 6, 9, 4])],
            [("y", TensorProto.FLOAT, ["batch", "c", "h", "w"])],
            {name: np.array(values, np.int64) for name, values in numbers.items()},
        )

    return make


@pytest.mark.parametrize(
    ("axes", "starts", "ends", "steps"),
    [
        ([1, 2], [0, 0], [BIG, BIG], [2, 2]),
        ([1, 2], [1, 0], [BIG, BIG], [2, 3]),
        ([2], [1], [7], [2]),
        ([3], [1], [BIG], [2]),
        ([1, 3], [1, 0], [BIG, BIG], [2, 2]),
    ],
)
def test_steps_stay_in_the_delegate(
    slices: Callable[..., Path],
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
    axes: list[int],
    starts: list[int],
    ends: list[int],
    steps: list[int],
) -> None:
    path = slices(axes, starts, ends, steps)
    image = rng.standard_normal((1, 6, 9, 4), np.float32)
    (expected,), (found,) = both(path, {"x": image})
    np.testing.assert_array_equal(found, expected)
    for op in compile_model(ir.load(path)).operators:
        if op.code == "STRIDED_SLICE":
            assert op.inputs[3] is not None
            assert op.inputs[3].data is not None
            assert (op.inputs[3].data == 1).all()
