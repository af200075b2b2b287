"""Max pools whose padding no zero can stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]


@pytest.fixture
def pool(save_model: Save) -> Callable[..., Path]:
    """A max pool of what may be negative."""

    def make(size: int, **attributes: object) -> Path:
        node = helper.make_node("MaxPool", ["x"], ["y"], "pool", **attributes)
        return save_model(
            [node],
            [("x", TensorProto.FLOAT, ["batch", 3, size, size])],
            [("y", TensorProto.FLOAT, ["batch", 3, "h", "w"])],
            {},
        )

    return make


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [(8, 3, 2, [1, 1, 1, 1]), (7, 4, 2, [3, 3, 1, 2]), (9, 2, 2, [1, 0, 0, 1])],
)
def test_padding_is_never_the_greatest(
    pool: Callable[..., Path],
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
    size: int,
    kernel: int,
    stride: int,
    pads: list[int],
) -> None:
    path = pool(size, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
    image = -1 - rng.random((1, 3, size, size), np.float32)
    (expected,), (found,) = both(path, {"x": image})
    np.testing.assert_array_equal(found, expected)


def test_nothing_leaves_the_delegate(pool: Callable[..., Path]) -> None:
    path = pool(8, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    assert "PADV2" not in {op.code for op in compile_model(ir.load(path)).operators}
