"""Einsum's capitals: the same sums in small letters, which TensorRT reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.simplify import simplify

Save = Callable[..., Path]


def product(save_model: Save, equation: str) -> Path:
    return save_model(
        [helper.make_node("Einsum", ["x", "y"], ["z"], "product", equation=equation)],
        [("x", TensorProto.FLOAT, [2, 3, 4]), ("y", TensorProto.FLOAT, [2, 5, 4])],
        [("z", TensorProto.FLOAT, None)],
    )


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("B I D, B J D -> B I J", "a c b, a d b -> a c d"),
        ("BID,BJD", "acb,adb"),
        ("abc,adc->abd", "abc,adc->abd"),
    ],
)
def test_capitals_become_small(
    save_model: Save, tmp_path: Path, equation: str, expected: str
) -> None:
    path = product(save_model, equation)
    graph = simplify(path, tmp_path / "float.onnx", "net")
    (node,) = onnx.load(graph.path).graph.node
    found = node.attribute[0].s.decode()
    assert found == expected
    rng = np.random.default_rng(0)
    feeds = {"x": rng.normal(size=(2, 3, 4)), "y": rng.normal(size=(2, 5, 4))}
    feeds = {name: array.astype(np.float32) for name, array in feeds.items()}
    (z,) = ort.InferenceSession(str(graph.path)).run(None, feeds)
    wanted = np.einsum(equation.replace(" ", ""), feeds["x"], feeds["y"])
    np.testing.assert_allclose(z, wanted, atol=1e-5)
