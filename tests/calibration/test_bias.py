"""The correction against the layer itself: what rounding moves on average, it takes off."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.calibration.bias import convolution_shift, product_shift, tap_shares
from edgeopt.core.ir import ir


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_convolutions_shift(groups: int, rng: np.random.Generator) -> None:
    error = rng.standard_normal((8, 4 // groups, 3, 3)).astype(np.float32)
    x = rng.standard_normal((16, 4, 1, 1)) + np.arange(4)[:, None, None]
    flat = np.broadcast_to(x, (16, 4, 9, 9)).astype(np.float32)  # no borders, no variation inside
    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], group=groups, pads=[2, 1, 0, 1], strides=[2, 1]
    )
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, flat.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(error, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    y = ort.InferenceSession(model.SerializeToString()).run(None, {"x": flat})[0]
    shares = tap_shares([9, 9], ir.from_proto(node), (3, 3))
    found = convolution_shift(error, flat.astype(np.float64).mean((0, 2, 3)), shares)
    np.testing.assert_allclose(found, y.mean((0, 2, 3)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_matrix_products_shift(axis: int, rng: np.random.Generator) -> None:
    x, error = rng.standard_normal((50, 6)), rng.standard_normal((6, 3)).astype(np.float32)
    found = product_shift(error.T if axis == 0 else error, x.mean(0), axis)
    np.testing.assert_allclose(found, (x @ error).mean(0), atol=1e-6)
