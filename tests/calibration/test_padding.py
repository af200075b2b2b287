"""Which tokens count, told by the model's own mask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.calibration.padding import mask_input, token_tensors, without_padding
from edgeopt.converters.simplify import simplify
from edgeopt.core.ir import ir

Save = Callable[..., Path]


def encoder(save_model: Save, rng: np.random.Generator, mask: str, length: int | str) -> Path:
    """Token vectors times weights, pooled over what the mask leaves."""
    nodes = [
        helper.make_node("MatMul", ["tokens", "w"], ["hidden"], "product"),
        helper.make_node("Unsqueeze", [mask, "last"], ["wide"], "wide"),
        helper.make_node("Cast", ["wide"], ["weight"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["hidden", "weight"], ["kept"], "mask"),
        helper.make_node("ReduceSum", ["kept", "one"], ["pooled"], "pool", keepdims=0),
        helper.make_node("MatMul", ["pooled", "v"], ["y"], "head"),
    ]
    return save_model(
        nodes,
        [
            ("tokens", TensorProto.FLOAT, ["batch", length, 4]),
            (mask, TensorProto.INT64, ["batch", length]),
        ],
        [("y", TensorProto.FLOAT, ["batch", 3])],
        {
            "w": rng.standard_normal((4, 8)).astype(np.float32),
            "v": rng.standard_normal((8, 3)).astype(np.float32),
            "last": np.array([-1]),
            "one": np.array([1]),
        },
    )


@pytest.mark.parametrize("length", [16, "sequence"])
def test_tensors_of_tokens_are_found(
    save_model: Save, tmp_path: Path, rng: np.random.Generator, length: int | str
) -> None:
    path = encoder(save_model, rng, "attention_mask", length)
    graph = ir.load(simplify(path, tmp_path / "float.onnx", "net").path).graph
    mask = mask_input(graph)
    assert mask is not None
    assert token_tensors(graph, mask, ["hidden", "kept", "pooled", "weight"]) >= {"hidden", "kept"}
    assert "pooled" not in token_tensors(graph, mask, ["pooled"])


@pytest.mark.parametrize(
    ("name", "masks"), [("input_mask:0", True), ("key_padding_mask", False), ("flags", False)]
)
def test_only_names_that_mean_it_are_masks(
    save_model: Save, rng: np.random.Generator, name: str, masks: bool
) -> None:
    graph = ir.load(encoder(save_model, rng, name, 16)).graph
    assert (mask_input(graph) is not None) is masks


def test_real_tokens_are_kept(rng: np.random.Generator) -> None:
    values = rng.standard_normal((2, 3, 4)).astype(np.float16)
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    expected = np.stack([values[0, 0], values[0, 1], values[1, 0]])
    np.testing.assert_array_equal(without_padding(values, mask), expected)
    assert len(without_padding(values, np.zeros((2, 3)))) == 6, "a sample never counts for nothing"
