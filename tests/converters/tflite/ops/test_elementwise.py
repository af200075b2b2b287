"""Constants that follow the order in which a value is stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.core.ir import ir

Save = Callable[..., Path]


def test_groups_of_channels_are_scaled_where_they_are_stored(
    save_model: Save,
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
) -> None:
    """A GroupNorm as exporters write it: the channels of an image in groups, flattened."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Reshape", ["c", "groups"], ["g"], "groups"),
        helper.make_node("InstanceNormalization", ["g", "one", "zero"], ["n"], "norm"),
        helper.make_node("Reshape", ["n", "image"], ["i"], "image"),
        helper.make_node("Mul", ["i", "scale"], ["m"], "scale"),
        helper.make_node("Conv", ["m", "v"], ["y"], "last"),
    ]
    path = save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["batch", 3, 5, 6])],
        [("y", TensorProto.FLOAT, ["batch", 2, 5, 6])],
        {
            "w": rng.standard_normal((8, 3, 1, 1)).astype(np.float32),
            "v": rng.standard_normal((2, 8, 1, 1)).astype(np.float32),
            "groups": np.array([0, 4, -1]),
            "image": np.array([-1, 8, 5, 6]),
            "one": rng.standard_normal(4).astype(np.float32),
            "zero": rng.standard_normal(4).astype(np.float32),
            "scale": rng.standard_normal((8, 1, 1)).astype(np.float32),
        },
    )
    (expected,), (found,) = both(path, {"x": rng.standard_normal((1, 3, 5, 6), np.float32)})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    codes = [op.code for op in compile_model(ir.load(path), channels_last=True).operators]
    assert codes.count("TRANSPOSE") == 1  # of the output, whose channels are first
