"""TFLite artifacts through the registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from edgeopt.converters.registry import WRITERS
from edgeopt.converters.simplify import simplify
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.layout import CHANNELS_LAST, Layout
from edgeopt.core.precision import Format, Precision
from edgeopt.targets import load_target


def test_fp32_has_the_layout_that_was_asked_for(
    conv_net: Path, tmp_path: Path, rng: np.random.Generator, litert: Callable[..., Any]
) -> None:
    graph = simplify(conv_net, tmp_path / "float.onnx", "net")
    image = rng.standard_normal((1, 3, 8, 8)).astype(np.float32)
    (expected,) = ort.InferenceSession(str(conv_net)).run(None, {"image": image})
    write = WRITERS[Format.TFLITE, Precision.FP32].load()
    for layout, given in ((Layout.NCHW, image), (Layout.NHWC, image.transpose(CHANNELS_LAST))):
        path = tmp_path / f"{layout}.tflite"
        target = load_target("x86-64-vnni")
        write(WriteRequest(graph, target, path, tmp_path, layout=layout))
        found = litert(path.read_bytes()).get_signature_runner()(image=given)["scores"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
