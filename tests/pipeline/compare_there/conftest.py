"""Nets for the board, and labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.pipeline.compare_there.pairs import CLASSES, SIZE, Make

if TYPE_CHECKING:
    pass


@pytest.fixture
def make_net(tmp_path: Path) -> Make:
    """A classifier of vectors; ``turns`` products of the same size, one after another."""
    rng = np.random.default_rng(7)
    square = np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0].astype(np.float32)
    last = rng.standard_normal((SIZE, CLASSES)).astype(np.float32)

    def make(name: str, turns: int = 2, batch: int = 1, classes: int = CLASSES) -> Path:
        nodes = [
            helper.make_node("MatMul", [f"a{turn}" if turn else "x", "square"], [f"a{turn + 1}"])
            for turn in range(turns)
        ]
        nodes.append(helper.make_node("MatMul", [f"a{turns}", "last"], ["scores"]))
        graph = helper.make_graph(
            nodes, "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, SIZE])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, classes])],
            [numpy_helper.from_array(square, "square"),
             numpy_helper.from_array(last[:, :classes].copy(), "last")],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        onnx.save(model, path)
        return path

    return make


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path, rng = tmp_path / "data.npz", np.random.default_rng(0)
    x = rng.standard_normal((21, SIZE)).astype(np.float32)
    np.savez(path, x=x, labels=rng.integers(0, CLASSES, 21))
    return path
