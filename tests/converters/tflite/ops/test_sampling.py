"""GridSample beside ONNX Runtime: every mode, and places far outside of the image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
Save = Callable[..., Path]


def sampling_net(save_model: Save, image: list[Any], grid: list[Any], **attributes: Any) -> Path:
    return save_model(
        [helper.make_node("GridSample", ["x", "grid"], ["y"], "sample", **attributes)],
        [("x", TensorProto.FLOAT, image), ("grid", TensorProto.FLOAT, grid)],
        [("y", TensorProto.FLOAT, None)],
        {},
    )


def places(*shape: int) -> np.ndarray:
    """Inside, on the edges, and far outside."""
    found = np.random.default_rng(3).uniform(-1.6, 1.6, (*shape, 2)).astype(np.float32)
    found[:, 0, 0], found[:, 0, 1] = 1e6, -1e6
    return found


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("outside", ["zeros", "border"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(5, 7), (1, 4), (1, 1)])
def test_as_onnx_runtime_samples(
    save_model: Save, both: Both, mode: str, outside: str, corners: int, size: tuple[int, int]
) -> None:
    image, grid = [2, 3, *size], places(2, 4, 6)
    path = sampling_net(
        save_model, image, [*grid.shape], mode=mode, padding_mode=outside, align_corners=corners
    )
    x = np.random.default_rng(0).normal(size=image).astype(np.float32)
    (expected,), (found,) = both(path, {"x": x, "grid": grid})
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("outside", ["zeros", "border"])
def test_half_a_pixel_goes_to_the_even_one(save_model: Save, both: Both, outside: str) -> None:
    grid = np.full((1, 1, 9, 2), -0.75, np.float32)
    grid[0, 0, :, 0] = np.arange(-4, 5) / 4
    path = sampling_net(save_model, [1, 1, 4, 4], [*grid.shape], mode="nearest",
                        padding_mode=outside)  # fmt: skip
    x = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    (expected,), (found,) = both(path, {"x": x, "grid": grid})
    np.testing.assert_array_equal(found, expected)


def test_each_entry_of_any_batch_has_its_own_places(
    save_model: Save, litert: Callable[..., Any]
) -> None:
    import onnxruntime as ort

    path = sampling_net(save_model, ["batch", 2, 4, 5], ["batch", 3, 3, 2], align_corners=1)
    x = np.random.default_rng(0).normal(size=(4, 2, 4, 5)).astype(np.float32)
    feeds = {"x": x, "grid": places(4, 3, 3)}
    opened = litert(compile_bytes(ir.load(path)), batch=4)
    found = opened.get_signature_runner()(**feeds)["y"]
    (expected,) = ort.InferenceSession(str(path)).run(None, feeds)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"mode": "bicubic"}, r"mode 'bicubic' isn't composed.*'bilinear' or 'nearest'"),
        ({"padding_mode": "reflection"}, r"'reflection' isn't composed.*'zeros' or 'border'"),
    ],
)
def test_what_is_not_composed_is_refused(
    save_model: Save, attributes: dict[str, str], says: str
) -> None:
    path = sampling_net(save_model, [1, 2, 4, 5], [1, 3, 3, 2], **attributes)
    with pytest.raises(UnsupportedError, match=says):
        compile_bytes(ir.load(path))
