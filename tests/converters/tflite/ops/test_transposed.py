"""ConvTranspose beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper


@pytest.mark.parametrize(
    ("kernel", "stride", "pads", "group"),
    [(2, 2, 0, 1), (4, 2, 1, 1), (3, 2, 1, 1), (3, 1, 1, 1), (2, 3, 0, 1), (3, 1, 0, 2)],
)
def test_every_pixel_is_where_onnx_has_it(
    save_model: Callable[..., Path], both: Callable[..., Any], rng: np.random.Generator,
    kernel: int, stride: int, pads: int, group: int,
) -> None:  # fmt: skip
    weight = rng.standard_normal((4, 6 // group, kernel, kernel), dtype=np.float32)
    node = helper.make_node(
        "ConvTranspose", ["x", "w"], ["y"], strides=[stride] * 2, pads=[pads] * 4, group=group
    )
    path = save_model(
        [node], [("x", TensorProto.FLOAT, [1, 4, 5, 7])],
        [("y", TensorProto.FLOAT, [1, 6, "h", "w"])], {"w": weight},
    )  # fmt: skip
    image = rng.standard_normal((1, 4, 5, 7), dtype=np.float32)
    expected, found = both(path, {"x": image})
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)
