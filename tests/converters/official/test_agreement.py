"""Tensors of one name are taken for the same only if they hold the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from edgeopt.converters.official.agreement import agreeing
from edgeopt.converters.simplify import simplify
from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.ir import ir
from edgeopt.core.tflite_file import read_tflite
from edgeopt.data import Sample


def test_a_name_on_another_tensor_is_not_believed(conv_net: Path, tmp_path: Path) -> None:
    graph = simplify(conv_net, tmp_path / "float.onnx", "net")
    file = tmp_path / "net.tflite"
    file.write_bytes(compile_bytes(ir.load(graph.path)))
    names = [tensor.spec.name for tensor in read_tflite(file).tensors]
    image = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)
    sample = Sample({"image": image}, None, "a sample")
    right = {names.index(name): name for name in ("image", "r1", "sum", "scores")}
    assert agreeing(file, graph, right, sample) == right
    wrong = {**right, names.index("sum"): "r1"}
    del right[names.index("sum")]
    assert agreeing(file, graph, wrong, sample) == right
    assert agreeing(file, graph, wrong, replace(sample, origin="again")) == right
