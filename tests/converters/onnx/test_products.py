"""Precisions for matrix products alone are refused before other work is done and thrown away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import GateError


@pytest.mark.parametrize("precision", ["int8-dynamic", "int4-weight"])
def test_a_net_without_products_is_refused_before_it_is_calibrated(
    save_model: Callable[..., Path], tmp_path: Path, precision: str
) -> None:
    path = save_model(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv")],
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 2, 4, 4])],
        {"w": np.ones((2, 3, 1, 1), np.float32)},
    )
    data = tmp_path / "samples.npz"
    np.savez(data, x=np.random.default_rng(0).normal(size=(20, 3, 4, 4)).astype(np.float32))
    steps: list[str] = []

    def progress(step: str, done: int, total: int | None) -> None:
        steps.append(step)

    with pytest.raises(GateError, match=f"nothing in this model can be {precision}"):
        edgeopt.convert(
            path, precision=["int8", precision], calibration=data, output=tmp_path / "out",
            progress=progress,
        )  # fmt: skip
    assert not [step for step in steps if step.startswith(("observing", "writing"))], steps
    edgeopt.convert(
        path, precision="int8", calibration=data, output=tmp_path / "out", progress=progress
    )
    assert [step for step in steps if step.startswith("writing")], "the test looks for real steps"
