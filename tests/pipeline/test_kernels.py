"""XNNPACK and the built-in kernels, compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeopt.core.execution import open_artifact
from edgeopt.core.layout import Layout
from edgeopt.core.litert import LiteRTModel
from edgeopt.core.precision import Format
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import Sample
from edgeopt.pipeline.kernels import Kernels, compare_kernels

OUTPUTS = [TensorSpec(name="scores", dtype="float32", shape=("batch", 5))]


def compared(conv_net: Path, tflite_net: Path) -> Kernels:
    rng = np.random.default_rng(0)
    images = rng.standard_normal((4, 1, 3, 8, 8)).astype(np.float32)
    samples = [Sample({"image": image}, None, "here") for image in images]
    reference = open_artifact(conv_net, Format.ONNX).run
    return compare_kernels(tflite_net, reference, samples, OUTPUTS, layout=Layout.NHWC)


def test_both_are_as_good_in_float(conv_net: Path, tflite_net: Path) -> None:
    found = compared(conv_net, tflite_net)
    assert found.warnings == ()
    assert found.delegation.partitions == 1
    assert found.builtin is not None
    assert (found.builtin[0].sqnr_db or 999) > 80


def test_kernels_that_disagree_are_reported(
    conv_net: Path, tflite_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No net is known on which they do, so one of the two is made to.
    run = LiteRTModel.run

    def skewed(self: LiteRTModel, inputs: dict[str, np.ndarray], origin: str) -> list[np.ndarray]:
        builtin = self.interpreter._get_ops_details()[-1]["op_name"] != "DELEGATE"
        off = 0.01 if builtin else 0
        return [array + off for array in run(self, inputs, origin)]

    monkeypatch.setattr(LiteRTModel, "run", skewed)
    (warning,) = compared(conv_net, tflite_net).warnings
    assert "output 'scores' is another with LiteRT's built-in kernels than with XNNPACK" in warning
