"""int8 artifacts of small nets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt

Save = Callable[..., Path]
Make = Callable[..., Path]

SHARED = """
name = "shared"
description = "One scale for all of a layer's weights"

[cpu]
arch = "x86_64"
features = ["avx512_vnni"]

[encoding.onnx.activation]
dtype = "uint8"

[encoding.onnx.weight]
dtype = "int8"
symmetric = true
per_channel = false
"""


@pytest.fixture
def make(conv_data: Path, tmp_path: Path) -> Make:
    """Convert a model into an int8 artifact in ``out``, beside its fp32 one."""

    def made(model: Path, **options: Any) -> Path:
        options = {"precision": "fp32,int8", "calibration": conv_data, "min_sqnr": -50, **options}
        result = edgeopt.convert(model, output=tmp_path / "out", **options)
        return Path(result.artifacts[-1].path)

    return made


@pytest.fixture
def artifact(conv_net: Path, make: Make) -> Path:
    """``conv_net`` as int8."""
    return make(conv_net)


@pytest.fixture
def shared_target(tmp_path: Path) -> str:
    """A target whose weights have one scale a layer."""
    path = tmp_path / "shared.toml"
    path.write_text(SHARED, encoding="utf-8")
    return str(path)


@pytest.fixture
def detector(save_model: Save, rng: np.random.Generator) -> Path:
    """One convolution gives boxes of 0 to 640 and scores of 0 to 1: (N, 3, 8, 8) to (N, 7, 64)."""
    head = 0.1 * rng.standard_normal((7, 8, 1, 1), dtype=np.float32)
    head[:4] *= 400
    offsets = np.array([320] * 4 + [0.5] * 3, np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["c1"], "body", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["both"], "head"),
        helper.make_node("Reshape", ["both", "shape"], ["detections"], "reshape"),
    ]
    return save_model(
        nodes,
        [("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [("detections", TensorProto.FLOAT, ["batch", 7, 64])],
        {
            "w1": 0.2 * rng.standard_normal((8, 3, 3, 3), dtype=np.float32),
            "w2": head,
            "b2": offsets,
            "shape": np.array([0, 7, 64], np.int64),
        },
        name="detector.onnx",
    )
