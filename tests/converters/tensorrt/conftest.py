"""TensorRT for RTX, which builds engines with no GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.tensorrt.building import Built, build_engine
from edgeopt.converters.tensorrt.delivery import RTX, Builder
from edgeopt.core.manifest import ShapeRange

Build = Callable[..., Built]
Model = Callable[..., Path]


@pytest.fixture(autouse=True)
def _needed(tensorrt_is_here: None) -> None:
    """Every test here needs it."""


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Write an ONNX model with one float input ``x`` and one output ``y``."""

    def model(
        nodes: list[onnx.NodeProto],
        constants: dict[str, Any],
        *,
        shape: tuple[int | str, ...] = (1, 8, 16, 16),
        opset: int = 18,
        kind: int = TensorProto.FLOAT,
    ) -> Path:
        read = {name for node in nodes for name in node.input}
        stored = [_stored(name, value) for name, value in constants.items() if name in read]
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
            [helper.make_tensor_value_info("y", kind, None)],
            stored,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        made.ir_version = 10
        path = tmp_path / "net.onnx"
        onnx.save(made, path)
        return path

    return model


def _stored(name: str, value: Any) -> onnx.TensorProto:
    if isinstance(value, onnx.TensorProto):
        value.name = name
        return value
    return numpy_helper.from_array(np.asarray(value), name)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Build an engine in a process of its own, and give what it is."""

    def build(
        path: Path,
        *,
        capability: str | None = "SM86",
        shapes: tuple[ShapeRange, ...] = (),
        **options: Any,
    ) -> Built:
        engine = tmp_path / "net.engine"
        builder = Builder(RTX, capability)
        return build_engine(builder, path, engine, shapes, BuildOptions(**options), "net.onnx")

    return build
