"""A transformer's layer with any batch: attention, norms and GELU, in LiteRT as in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper

from edgeopt.converters.simplify import simplify
from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.ir import ir

Save = Callable[..., Path]
TOKENS, WIDTH, HEADS = 6, 16, 2


@pytest.fixture
def encoder(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> Path:
    """(n, 6) tokens, and a mask of them, to (n, 6, 16); its shapes computed as exporters do."""
    constants: dict[str, Any] = {
        name: (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)
        for name, shape in (
            ("table", (20, WIDTH)), ("wq", (WIDTH, WIDTH)), ("wk", (WIDTH, WIDTH)),
            ("wv", (WIDTH, WIDTH)), ("wo", (WIDTH, WIDTH)), ("up", (WIDTH, 4 * WIDTH)),
            ("down", (4 * WIDTH, WIDTH)), ("bias", (WIDTH,)), ("gamma", (WIDTH,)),
        )
    }  # fmt: skip
    constants |= {
        "first": np.array(0), "axes": np.array([0]), "mask_axes": np.array([1, 2]),
        "split": np.array([TOKENS, HEADS, WIDTH // HEADS]), "joined": np.array([TOKENS, WIDTH]),
        "root": np.float32(np.sqrt(WIDTH / HEADS)), "one": np.float32(1), "low": np.float32(-1e4),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["x"], "embed"),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axes"], ["ns"]),
        helper.make_node("Concat", ["ns", "split"], ["heads"], axis=0),
        helper.make_node("Concat", ["ns", "joined"], ["whole"], axis=0),
        *(step for part in "qkv" for step in _head(part)),
        helper.make_node("MatMul", ["hq", "hk"], ["s"], "scores"),
        helper.make_node("Div", ["s", "root"], ["ss"]),
        helper.make_node("Cast", ["mask"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["one", "m"], ["im"]),
        helper.make_node("Mul", ["im", "low"], ["lm"]),
        helper.make_node("Unsqueeze", ["lm", "mask_axes"], ["lm4"]),
        helper.make_node("Add", ["ss", "lm4"], ["sm"]),
        helper.make_node("Softmax", ["sm"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "hv"], ["c"], "context"),
        helper.make_node("Transpose", ["c"], ["ct"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["ct", "whole"], ["cc"]),
        helper.make_node("MatMul", ["cc", "wo"], ["o"], "out"),
        helper.make_node("Add", ["o", "x"], ["r"]),
        helper.make_node("LayerNormalization", ["r", "gamma", "bias"], ["ln"], axis=-1),
        helper.make_node("MatMul", ["ln", "up"], ["u"], "up_"),
        helper.make_node("Gelu", ["u"], ["g"]),
        helper.make_node("MatMul", ["g", "down"], ["d"], "down_"),
        helper.make_node("Add", ["d", "ln"], ["y"]),
    ]
    ends = [
        ("tokens", TensorProto.INT64, ["n", TOKENS]),
        ("mask", TensorProto.INT64, ["n", TOKENS]),
    ]
    path = save_model(
        nodes, ends, [("y", TensorProto.FLOAT, ["n", TOKENS, WIDTH])], constants, opset=20
    )
    return simplify(path, tmp_path / "float.onnx", "encoder").path


def _head(part: str) -> list[NodeProto]:
    order = [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
    return [
        helper.make_node("MatMul", ["x", f"w{part}"], [part], f"project_{part}"),
        helper.make_node("Reshape", [part, "heads"], [f"r{part}"]),
        helper.make_node("Transpose", [f"r{part}"], [f"h{part}"], perm=order),
    ]


@pytest.mark.parametrize("batch", [1, 3])
def test_any_batch_gives_what_onnx_runtime_gives(
    encoder: Path, rng: np.random.Generator, litert: Callable[..., Any], batch: int
) -> None:
    lengths = rng.integers(2, TOKENS + 1, (batch, 1))
    inputs = {
        "tokens": rng.integers(0, 20, (batch, TOKENS)),
        "mask": (np.arange(TOKENS) < lengths).astype(np.int64),
    }
    (expected,) = ort.InferenceSession(str(encoder)).run(None, inputs)
    opened = litert(compile_bytes(ir.load(encoder)), batch=batch)
    found = opened.get_signature_runner()(**inputs)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
