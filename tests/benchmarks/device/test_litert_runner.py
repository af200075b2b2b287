"""LiteRT as the on-device program runs it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime as ort
import pytest
from ai_edge_litert import interpreter

from edgeopt.benchmarks.device import litert_runner
from edgeopt.benchmarks.device.litert_runner import LiteRtSession
from edgeopt.core.layout import CHANNELS_LAST


def test_outputs_are_the_model_s(
    conv_net: Path, tflite_net: Path, rng: np.random.Generator
) -> None:
    images = rng.standard_normal((3, 3, 8, 8)).astype(np.float32)
    (expected,) = ort.InferenceSession(str(conv_net)).run(None, {"image": images})
    found = LiteRtSession(str(tflite_net), 1)({"image": images.transpose(CHANNELS_LAST)})
    np.testing.assert_allclose(found["scores"], expected, rtol=1e-5, atol=1e-5)


def test_the_bound_call_runs_as_often_as_it_is_called(tflite_net: Path) -> None:
    session = LiteRtSession(str(tflite_net), 2)
    run = session.bind({"image": np.ones((1, 8, 8, 3), np.float32)})
    first = run()
    assert first is run() is None
    (detail,) = session.interpreter.get_output_details()
    assert np.abs(session.interpreter.get_tensor(detail["index"])).max() > 0


def test_an_older_package_does_too(tflite_net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = ModuleType("tflite_runtime")
    older.interpreter = interpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", older)
    assert litert_runner.version().startswith("tflite-runtime ")
    assert LiteRtSession(str(tflite_net), 1).interpreter is not None


def test_without_any_the_first_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="ai_edge_litert"):
        litert_runner.version()
