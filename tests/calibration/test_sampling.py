"""What is taken out of a tensor: one pixel of each block, borders no more often than their due."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.calibration.sampling import ENOUGH, add_samplers
from edgeopt.core.ir import ir


def sampled(tmp_path: Path, image: np.ndarray) -> np.ndarray:
    shape = ["n", *image.shape[1:]]
    graph = helper.make_graph(
        [helper.make_node("Abs", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = ir.from_proto(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    )
    samplers = add_samplers(model.graph, ["y"])
    ir.save(model, tmp_path / "m.onnx")
    session = ort.InferenceSession(tmp_path / "m.onnx")
    (halves,) = session.run([samplers.values["y"]], {"x": image})
    return np.asarray(halves, np.float64)


@pytest.mark.parametrize(("channels", "size"), [(16, 64), (32, 112), (96, 56), (240, 14), (3, 97)])
def test_enough_is_taken_of_every_size(tmp_path: Path, channels: int, size: int) -> None:
    image = np.ones((1, channels, size, size), np.float32)
    assert sampled(tmp_path, image).size >= min(ENOUGH, image.size)


@pytest.mark.parametrize(("channels", "size"), [(32, 112), (144, 56), (480, 28)])
def test_borders_count_no_more_than_their_due(tmp_path: Path, channels: int, size: int) -> None:
    # Where only the first row and column are 1, the mean is the share they have.
    image = np.zeros((1, channels, size, size), np.float32)
    image[:, :, 0, :] = image[:, :, :, 0] = 1
    assert sampled(tmp_path, image).mean() < 1.6 * image.mean()


def test_the_mean_of_a_gradient_is_kept(tmp_path: Path) -> None:
    rows = np.linspace(0, 1, 112, dtype=np.float32)
    image = np.broadcast_to(rows[:, None], (1, 32, 112, 112)).copy()
    for turned in (image, image.transpose(0, 1, 3, 2).copy()):
        assert sampled(tmp_path, turned).mean() == pytest.approx(0.5, abs=0.05)
