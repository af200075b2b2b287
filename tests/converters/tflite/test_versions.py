"""What a file says of the runtime that it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.tflite.versions import oldest_runtime
from edgeopt.core.tflite_file import read_tflite

pytest.importorskip("ai_edge_litert")

Save = Callable[..., Path]


@pytest.fixture
def product(save_model: Save, rng: np.random.Generator) -> Path:
    """One matrix product."""
    return save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 32])],
        [("y", TensorProto.FLOAT, [1, 16])],
        {"w": rng.standard_normal((32, 16)).astype(np.float32)},
    )


@pytest.mark.parametrize(
    ("precision", "runtime"),
    [("fp32", "2.5.0"), ("int8-dynamic", "2.17.0"), ("int8-weight", "2.7.0")],
)
def test_a_product_with_a_scale_a_channel_needs_a_runtime_that_knows_it(
    product: Path, tmp_path: Path, precision: str, runtime: str
) -> None:
    result = edgeopt.convert(product, to="tflite", precision=precision, output=tmp_path / "out")
    (artifact,) = result.artifacts
    assert artifact.manifest.oldest_runtime == runtime
    assert read_tflite(Path(artifact.path)).oldest_runtime == runtime
    assert edgeopt.inspect(artifact.path).oldest_runtime == runtime


def test_the_newest_operator_decides() -> None:
    used = [("GELU", 1), ("SIGN", 1), ("ADD", 1)]
    assert oldest_runtime(used) == "2.11.0"  # and not 2.9.0, which is later in the alphabet
