"""The file: where constants stand in it, and that each is there once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.converters.tflite.flatbuffer import ALIGNMENT, to_flatbuffer, write_flatbuffer
from edgeopt.converters.tflite.schema import schema
from edgeopt.core.ir import ir
from edgeopt.core.litert import open_litert
from edgeopt.core.tflite_file import read_tflite

Save = Callable[..., Path]


@pytest.fixture
def wide_net(save_model: Save, rng: np.random.Generator) -> Path:
    """Two products with weights of 4 kB each, and numbers of a few bytes beside them."""
    weights = {f"w{n}": rng.standard_normal((32, 32)).astype(np.float32) for n in range(2)}
    return save_model(
        [
            helper.make_node("MatMul", ["x", "w0"], ["a"]),
            helper.make_node("Add", ["a", "half"], ["b"]),
            helper.make_node("MatMul", ["b", "w1"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, [1, 32])],
        [("y", TensorProto.FLOAT, [1, 32])],
        {**weights, "half": np.float32(0.5)},
    )


def buffers(content: bytes) -> list[Any]:
    """The file's buffers, as the schema reads them."""
    model = schema().Model.GetRootAs(content, 0)
    return [model.Buffers(i) for i in range(model.BuffersLength())]


@pytest.mark.parametrize("xnnpack", [True, False])
def test_constants_behind_the_flatbuffer_are_found(
    wide_net: Path, tmp_path: Path, rng: np.random.Generator, xnnpack: bool
) -> None:
    path = tmp_path / "large.tflite"
    write_flatbuffer(compile_model(ir.load(wide_net)), path, largest=1000)
    content = path.read_bytes()
    outside = [b for b in buffers(content) if b.Size()]
    assert [b.Size() for b in outside] == [4096, 4096]
    assert all(b.Offset() % ALIGNMENT == 0 for b in outside)
    assert outside[-1].Offset() + 4096 == len(content)
    x = {"x": rng.standard_normal((1, 32)).astype(np.float32)}
    (expected,) = ort.InferenceSession(str(wide_net)).run(None, x)
    (found,) = open_litert(path, xnnpack=xnnpack).run(x, "here")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_such_a_file_reads_as_any_other(wide_net: Path, tmp_path: Path) -> None:
    paths = [tmp_path / "small.tflite", tmp_path / "large.tflite"]
    for path, largest in zip(paths, (1 << 20, 1000), strict=True):
        write_flatbuffer(compile_model(ir.load(wide_net)), path, largest=largest)
    small, large = map(read_tflite, paths)
    assert small == large


def test_below_the_limit_everything_is_inside(wide_net: Path) -> None:
    content = to_flatbuffer(compile_model(ir.load(wide_net)))
    assert not any(b.Size() for b in buffers(content))


def test_equal_constants_are_stored_once(save_model: Save) -> None:
    weight = np.arange(1024, dtype=np.float32).reshape(32, 32)
    almost = weight.copy()
    almost[0, 1] += 1  # beside what a fingerprint looks at
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w0"], ["a"]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("MatMul", ["b", "w1"], ["c"]),
            helper.make_node("Relu", ["c"], ["d"]),
            helper.make_node("MatMul", ["d", "w2"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, [1, 32])],
        [("y", TensorProto.FLOAT, [1, 32])],
        {"w0": weight, "w1": weight.copy(), "w2": almost},
    )
    content = to_flatbuffer(compile_model(ir.load(path)))
    assert sum(b.DataLength() == weight.nbytes for b in buffers(content)) == 2
