"""ConvTranspose beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt


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


@pytest.mark.parametrize(
    ("kernel", "pads", "more"), [(2, 0, 0), (3, 1, 1), (4, 1, 0)], ids=["whole", "cut", "over"]
)
def test_it_stays_in_integers_with_its_clamp(
    save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator,
    kernel: int, pads: int, more: int,
) -> None:  # fmt: skip
    weights = {
        "w1": rng.standard_normal((6, 3, 3, 3), dtype=np.float32) / 5,
        "w2": rng.standard_normal((6, 5, kernel, kernel), dtype=np.float32) / 5,
        "b2": rng.standard_normal(5, dtype=np.float32),
        "w3": rng.standard_normal((2, 5, 1, 1), dtype=np.float32),
    }
    size = {"strides": [2, 2], "pads": [pads] * 4, "output_padding": [more] * 2}
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "first", pads=[1] * 4),
        helper.make_node("ConvTranspose", ["c1", "w2", "b2"], ["c2"], "up", **size),
        helper.make_node("Relu", ["c2"], ["r2"], "relu"),
        helper.make_node("Conv", ["r2", "w3"], ["y"], "last"),
    ]
    path = save_model(
        nodes, [("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [("y", TensorProto.FLOAT, ["batch", 2, "h", "w"])], weights,
    )  # fmt: skip
    np.savez(tmp_path / "x.npz", x=rng.standard_normal((40, 3, 8, 8), dtype=np.float32))
    (made,) = edgeopt.convert(
        path, to="tflite", precision="int8", calibration=tmp_path / "x.npz", output=tmp_path / "out"
    ).artifacts
    manifest = made.manifest
    assert (manifest.integer_layers, manifest.float_layers) == (3, ())
    assert manifest.verification is not None
    assert manifest.verification.worst.sqnr_db is not None
    assert manifest.verification.worst.sqnr_db > 25
    assert manifest.delegation is not None
    assert (manifest.delegation.partitions, manifest.delegation.outside) == (1, ())
