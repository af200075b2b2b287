"""Convolutions of volumes beside ONNX Runtime, in float and in integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
Save = Callable[..., Path]


def video_net(save_model: Save, kernel: tuple[int, ...], batch: int | str = 1, **said: Any) -> Path:
    weight = np.random.default_rng(0).normal(size=(6, 3, *kernel)).astype(np.float32) / 5
    bias = np.arange(6, dtype=np.float32) / 6
    return save_model(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"], "conv", **said)],
        [("x", TensorProto.FLOAT, [batch, 3, 7, 9, 8])],
        [("y", TensorProto.FLOAT, None)],
        {"w": weight, "b": bias},
    )


def clips(*lead: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(*lead, 3, 7, 9, 8)).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        ((3, 3, 3), {"pads": [1] * 6}),
        ((3, 3, 3), {"pads": [1] * 6, "strides": [2, 2, 2]}),
        ((3, 1, 1), {"pads": [1, 0, 0, 1, 0, 0]}),
        ((1, 3, 3), {"strides": [1, 2, 2]}),
        ((2, 3, 1), {"dilations": [3, 2, 1], "pads": [2, 0, 0, 1, 0, 0]}),
        ((1, 1, 1), {"strides": [2, 1, 1]}),
        ((3, 2, 2), {"auto_pad": "SAME_UPPER", "strides": [2, 2, 2]}),
    ],
)
def test_as_onnx_runtime_convolves(
    save_model: Save, both: Both, kernel: tuple[int, ...], said: dict[str, Any]
) -> None:
    (expected,), (found,) = both(video_net(save_model, kernel, **said), {"x": clips(1)})
    np.testing.assert_allclose(found, expected, atol=5e-6)


def test_the_batch_may_have_any_size(save_model: Save, litert: Callable[..., Any]) -> None:
    import onnxruntime as ort

    path = video_net(save_model, (3, 3, 3), "batch", pads=[1] * 6)
    x = clips(3)
    found = litert(compile_bytes(ir.load(path)), batch=3).get_signature_runner()(x=x)["y"]
    (expected,) = ort.InferenceSession(str(path)).run(None, {"x": x})
    np.testing.assert_allclose(found, expected, atol=5e-6)


def test_groups_are_refused(save_model: Save) -> None:
    path = save_model(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv", group=3)],
        [("x", TensorProto.FLOAT, [1, 3, 4, 4, 4])],
        [("y", TensorProto.FLOAT, None)],
        {"w": np.ones((3, 1, 2, 2, 2), np.float32)},
    )
    with pytest.raises(UnsupportedError, match=r"a volume, and its channels have groups"):
        compile_bytes(ir.load(path))


def test_in_integers_too(save_model: Save, tmp_path: Path) -> None:
    data = tmp_path / "clips.npz"
    np.savez(data, x=clips(24))
    (made,) = edgeopt.convert(
        video_net(save_model, (3, 3, 3), pads=[1] * 6), to="tflite", precision="int8",
        calibration=data, effort="fast", output=tmp_path / "out",
    ).artifacts  # fmt: skip
    assert made.manifest.integer_layers == 1
    assert made.manifest.verification is not None
    assert made.manifest.verification.worst.sqnr_db is not None
    assert made.manifest.verification.worst.sqnr_db > 35
