"""Running what the compiler made in LiteRT, beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.ir import ir

Outputs = list[np.ndarray]
Both = Callable[..., tuple[Outputs, Outputs]]


@pytest.fixture
def litert() -> Callable[..., Any]:
    """Opens the bytes of a file; a signature runner."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")

    def open_(content: bytes, batch: int = 1) -> Any:
        opened = interpreter.Interpreter(model_content=content)
        for detail in opened.get_input_details() if batch > 1 else ():
            opened.resize_tensor_input(detail["index"], [batch, *detail["shape"][1:]])
        opened.allocate_tensors()
        opened.held = content  # LiteRT doesn't keep the bytes alive
        return opened

    return open_


@pytest.fixture
def both(litert: Callable[..., Any]) -> Both:
    """Runs an ONNX file in ONNX Runtime and compiled in LiteRT; the outputs of each."""

    def run(path: Path, inputs: dict[str, np.ndarray]) -> tuple[Outputs, Outputs]:
        session = ort.InferenceSession(str(path))
        expected = session.run(None, inputs)
        opened = litert(compile_bytes(ir.load(path)))
        found = opened.get_signature_runner()(**inputs)
        return expected, [found[o.name] for o in session.get_outputs()]

    return run
