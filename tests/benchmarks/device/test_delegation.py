"""Which part of a model XNNPACK takes over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgeopt.benchmarks.device.delegation import delegation
from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.converters.tflite.model import Model, Operator, Options, Tensor

BUILTIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def allocated(content: bytes, kind: OpResolverType = OpResolverType.AUTO) -> Interpreter:
    opened = Interpreter(model_content=content, experimental_op_resolver_type=kind)
    opened.allocate_tensors()
    opened.held = content
    return opened


def test_a_float_net_is_one_partition(tflite_net: Path) -> None:
    found = delegation(allocated(tflite_net.read_bytes()))
    assert (found["partitions"], found["outside"]) == (1, [])
    assert found["nodes"] == 6


def test_without_xnnpack_every_node_is_outside(tflite_net: Path) -> None:
    found = delegation(allocated(tflite_net.read_bytes(), BUILTIN))
    assert found["partitions"] == 0
    assert len(found["outside"]) == found["nodes"] == 6


def test_what_splits_a_graph_is_named() -> None:
    # XNNPACK has no CUMSUM; what is before and after it are partitions of their own.
    x, a, b, c, d, y = (Tensor(n, np.dtype(np.float32), (1, 8)) for n in "xabcdy")
    axis = Tensor("axis", np.dtype(np.int32), (1,), data=np.array([1], np.int32))
    operators = [
        Operator("ADD", [x, x], [a], Options("AddOptions")),
        Operator("MUL", [a, a], [b], Options("MulOptions")),
        Operator("CUMSUM", [b, axis], [c], Options("CumsumOptions")),
        Operator("ADD", [c, a], [d], Options("AddOptions")),
        Operator("MUL", [d, d], [y], Options("MulOptions")),
    ]
    model = Model([x], [y], operators)
    model.names[0].append("x")
    model.names[1].append("y")
    found = delegation(allocated(to_flatbuffer(model)))
    assert found == {"nodes": 5, "partitions": 2, "outside": [{"op": "CUMSUM", "tensor": "c"}]}
