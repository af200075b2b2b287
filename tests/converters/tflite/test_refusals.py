"""Graphs that contradict themselves, or reach beyond what 32 bits count: one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from edgeopt.cli import main

Save = Callable[..., Path]

CASES: dict[str, tuple[NodeProto, list[int | str], dict[str, np.ndarray], str]] = {
    "a place far beyond": (
        helper.make_node("Gather", ["x", "far"], ["y"], "pick", axis=1), [1, 2],
        {"far": np.array([0, 2**40])}, "Gather 'pick': it picks from 0 to 1099511627776, of 4",
    ),
    "one place just beyond": (
        helper.make_node("Gather", ["x", "near"], ["y"], "pick", axis=1), [1],
        {"near": np.array(4)}, "Gather 'pick': it picks from 0 to 4, of 4",
    ),
    "too many elements": (
        helper.make_node("Expand", ["x", "sizes"], ["y"], "grow"), ["a", 1, 4],
        {"sizes": np.array([2**40, 1, 4])}, "Expand 'grow': what it gives has 4398046511104 ",
    ),
    "a kernel of another size": (
        helper.make_node("Conv", ["x", "w"], ["y"], "conv", kernel_shape=[2]), [1, 2, 4],
        {"w": np.ones((2, 4, 1), np.float32)}, "Conv 'conv': it says that its kernel is [2]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_one_line_and_nothing_is_left(
    save_model: Save, tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    node, shape, constants, words = CASES[case]
    path = given(save_model, node, shape, constants)
    assert main(["convert", str(path), "--to", "tflite", "-o", str(tmp_path / "out")]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert not (tmp_path / "out").exists()


def given(
    save_model: Save, node: NodeProto, shape: list[int | str], constants: dict[str, np.ndarray]
) -> Path:
    taken = [1, 4, 4] if node.op_type == "Conv" else [1, 4]
    return save_model(
        [node], [("x", TensorProto.FLOAT, taken)], [("y", TensorProto.FLOAT, shape)], constants
    )
