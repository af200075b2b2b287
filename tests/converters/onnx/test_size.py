from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.onnx.size import check_fits
from edgeopt.core.errors import UnsupportedError


def test_a_graph_is_refused_whose_weights_one_file_cannot_hold(
    save_model: Callable[..., Path],
) -> None:
    path = save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, ["batch", 8])],
        [("y", TensorProto.FLOAT, ["batch", 4])],
        {"w": np.ones((8, 4), np.float32)},
    )
    check_fits(path, "net.pt2", largest=129)
    with pytest.raises(UnsupportedError, match=r"net\.pt2: its weights take .* GB") as caught:
        check_fits(path, "net.pt2", largest=128)
    assert "--to tflite" in (caught.value.hint or "")
