"""One trained net with more or less work in its graph: truly slower, by about what is asked for.

The example's int8 net, and beside it a product of its input whose mean is added to the scores,
scaled down until it changes nothing. The runtime doesn't know that, so it computes all of it.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

import edgeopt

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fashion_mnist"
NOTHING = 1e-30

COLUMNS = {"faster": 0, "baseline": 160, "slower 5%": 448, "slower 10%": 736}
"""Of the matrix that the input is multiplied by; how much slower that is, is measured."""


def made(folder: Path) -> dict[str, Path]:
    """Convert the example, add to it, and give the files by name.

    Args:
        folder: Where they go.
    """
    with tempfile.TemporaryDirectory() as scratch:
        result = edgeopt.convert(
            EXAMPLE / "model.pt2", precision=["int8"], calibration=EXAMPLE / "calibration.npz",
            output=scratch,
        )  # fmt: skip
        model = onnx.load(result.artifacts[0].path)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, columns in COLUMNS.items():
        paths[name] = folder / f"{columns}.onnx"
        onnx.save(with_work(model, columns), paths[name])
    return paths


def with_work(model: onnx.ModelProto, columns: int) -> onnx.ModelProto:
    """A copy of the net with a product of so many columns beside it; none for 0."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if columns:
        _add(copy.graph, columns)
    onnx.checker.check_model(copy)
    return copy


def _add(graph: onnx.GraphProto, columns: int) -> None:
    image, scores = graph.input[0], graph.output[0].name
    pixels = math.prod(dim.dim_value for dim in image.type.tensor_type.shape.dim[1:])
    weight = np.random.default_rng(0).normal(size=(pixels, columns)).astype(np.float32)
    graph.initializer.append(numpy_helper.from_array(weight, "work.weight"))
    graph.initializer.append(numpy_helper.from_array(np.float32(NOTHING), "work.nothing"))
    graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "work.axis"))
    for node in graph.node:
        node.output[:] = ["work.scores" if each == scores else each for each in node.output]
    graph.node.extend([
        helper.make_node("Flatten", [image.name], ["work.rows"]),
        helper.make_node("MatMul", ["work.rows", "work.weight"], ["work.product"]),
        helper.make_node("ReduceMean", ["work.product", "work.axis"], ["work.mean"]),
        helper.make_node("Mul", ["work.mean", "work.nothing"], ["work.zero"]),
        helper.make_node("Add", ["work.scores", "work.zero"], [scores]),
    ])  # fmt: skip
