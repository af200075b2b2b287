"""Linear layers stay integer, whatever is known of their sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Save = Callable[..., Path]
Operators = Callable[[str], dict[str, str]]
SIZES = [[1, 6, 16], ["batch", 6, 16], [6, 16], ["batch", 16], [1, 2, 3, 16]]


@pytest.fixture
def linear(save_model: Save) -> Callable[..., Path]:
    """Two linear layers, a tanh between them, on data of any sizes."""

    def linear(sizes: list[int | str], bias: np.ndarray | None = None, dead: bool = False) -> Path:
        rng = np.random.default_rng(0)
        weight = rng.normal(size=(16, 8)).astype(np.float32) / 4
        if dead:
            weight[:, 3] = 0
        constants = {
            "w": weight,
            "b": rng.normal(size=8).astype(np.float32) if bias is None else bias,
            "w2": rng.normal(size=(8, 16)).astype(np.float32) / 4,
            "b2": rng.normal(size=16).astype(np.float32),
        }
        nodes = [
            helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
            helper.make_node("Add", ["b", "a"], ["c"], "first_bias"),
            helper.make_node("Tanh", ["c"], ["d"], "tanh"),
            helper.make_node("MatMul", ["d", "w2"], ["e"], "second"),
            helper.make_node("Add", ["e", "b2"], ["y"], "second_bias"),
        ]
        ends = [("x", TensorProto.FLOAT, sizes)], [("y", TensorProto.FLOAT, None)]
        return save_model(nodes, *ends, constants)

    return linear


@pytest.fixture
def samples(tmp_path: Path) -> Callable[[list[Any]], Path]:
    def samples(sizes: list[Any]) -> Path:
        own = sizes[1:] if sizes[0] in (1, "batch") else sizes
        path = tmp_path / "samples.npz"
        np.savez(path, x=np.random.default_rng(1).normal(size=(40, *own)).astype(np.float32))
        return path

    return samples


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_linear_layer_is_integer(
    linear: Callable[..., Path], samples: Callable[..., Path], make: Make, sizes: list[int | str]
) -> None:
    made = make(linear(sizes), calibration=samples(sizes), effort="fast")
    manifest = made.manifest
    assert manifest.integer_layers == 2
    assert not manifest.float_layers
    assert manifest.verification is not None
    assert manifest.verification.worst.sqnr_db is not None
    assert manifest.verification.worst.sqnr_db > 35


def test_a_product_of_open_sizes_keeps_its_float_bias(
    linear: Callable[..., Path], samples: Callable[..., Path], make: Make
) -> None:
    for sizes, integers in (([1, 6, 16], 2), (["batch", 6, 16], 0)):
        made = make(linear(sizes), calibration=samples(sizes), effort="fast")
        found = [e for e in made.manifest.encodings if e.dtype == "int32"]
        assert len(found) == integers, sizes


def test_a_bias_that_int32_cannot_hold_stays_float(
    linear: Callable[..., Path], samples: Callable[..., Path], make: Make
) -> None:
    sizes = [1, 6, 16]
    made = make(linear(sizes, dead=True), calibration=samples(sizes), effort="fast")
    names = {e.tensor for e in made.manifest.encodings if e.dtype == "int32"}
    assert names == {"b2_integer"}
    assert made.manifest.verification is not None
    assert made.manifest.verification.worst.sqnr_db is not None
    assert made.manifest.verification.worst.sqnr_db > 35
