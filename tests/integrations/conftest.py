"""A model whose work can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

SIZE = 64


@pytest.fixture
def save_net() -> Callable[[Path, int], None]:
    """``save_net(path, turns)``: so many pairs of matrix products, one after another."""

    def save(path: Path, turns: int) -> None:
        square = np.linalg.qr(np.random.default_rng(7).standard_normal((SIZE, SIZE)))[0]
        constants = {"a": square.astype(np.float32), "b": square.T.astype(np.float32).copy()}
        nodes, at = [], "x"
        for turn in range(turns):
            nodes.append(helper.make_node("MatMul", [at, "a"], [f"a{turn}"]))
            nodes.append(helper.make_node("MatMul", [f"a{turn}", "b"], [f"b{turn}"]))
            at = f"b{turn}"
        nodes.append(helper.make_node("Relu", [at], ["y"]))
        ends = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, SIZE])] for n in "xy"]
        graph = helper.make_graph(
            nodes, "net", *ends, [numpy_helper.from_array(a, n) for n, a in constants.items()]
        )
        opsets = [helper.make_opsetid("", 18)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)

    return save
