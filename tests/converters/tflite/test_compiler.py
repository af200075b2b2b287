"""Whole models through the compiler and LiteRT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeopt.converters.tflite.compiler import compile_bytes, compile_model
from edgeopt.core.ir import ir


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_convolutional_net(
    conv_net: Path, rng: np.random.Generator, litert: Callable[..., Any], channels_last: bool
) -> None:
    import onnxruntime as ort

    image = rng.standard_normal((1, 3, 8, 8)).astype(np.float32)
    (expected,) = ort.InferenceSession(str(conv_net)).run(None, {"image": image})
    opened = litert(compile_bytes(ir.load(conv_net), channels_last=channels_last))
    given = image.transpose(0, 2, 3, 1) if channels_last else image
    found = opened.get_signature_runner()(image=given)["scores"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_channels_last_needs_no_transpose(conv_net: Path) -> None:
    codes = [op.code for op in compile_model(ir.load(conv_net), channels_last=True).operators]
    assert "TRANSPOSE" not in codes
    codes = [op.code for op in compile_model(ir.load(conv_net), channels_last=False).operators]
    assert codes.count("TRANSPOSE") == 1


def test_clamps_are_fused(conv_net: Path) -> None:
    codes = [op.code for op in compile_model(ir.load(conv_net)).operators]
    assert "RELU6" not in codes


def test_the_same_model_gives_the_same_bytes(conv_net: Path) -> None:
    assert compile_bytes(ir.load(conv_net)) == compile_bytes(ir.load(conv_net))


def test_any_batch_can_be_set(
    conv_net: Path, rng: np.random.Generator, litert: Callable[..., Any]
) -> None:
    import onnxruntime as ort

    images = rng.standard_normal((3, 3, 8, 8)).astype(np.float32)
    (expected,) = ort.InferenceSession(str(conv_net)).run(None, {"image": images})
    opened = litert(compile_bytes(ir.load(conv_net)), batch=3)
    (inner,), (outer,) = opened.get_input_details(), opened.get_output_details()
    opened.set_tensor(inner["index"], images)
    opened.invoke()
    np.testing.assert_allclose(opened.get_tensor(outer["index"]), expected, rtol=1e-5, atol=1e-5)
