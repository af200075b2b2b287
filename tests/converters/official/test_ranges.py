"""The float graph's ranges on another file's tensors, by name and by derivation."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("flatbuffers")

from edgeopt.calibration.ranges import Range
from edgeopt.converters.official.ranges import counterparts, file_ranges, runnable_order
from edgeopt.core.ir import ir
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.tflite_graph import StoredOperator, StoredTensor, TfliteFile

NODES = ["net/conv", "net/add", "net/relu", "net/dense/MatMul", "net/dense/BiasAdd"]


def file(names: list[str], operators: list[tuple[str, list[int], int]]) -> TfliteFile:
    """A file of float vectors; the first is its input, the last its output."""
    specs = [TensorSpec(name=name, dtype="float32", shape=(1, 4)) for name in names]
    return TfliteFile(
        description="",
        tensors=tuple(StoredTensor(spec, constant=False, quantized=None) for spec in specs),
        operators=tuple(
            StoredOperator(code, tuple(given), (made,), custom=False)
            for code, given, made in operators
        ),
        inputs=(0,),
        outputs=(len(names) - 1,),
        names=(("image",), ("scores",)),
        signatures=("serving_default",),
        subgraphs=1,
        metadata=(),
        normalization=(),
    )


@pytest.fixture
def graph() -> ir.Graph:
    """``scores`` is another name of what a Gemm gives."""
    image = ir.Value(name="image")
    gemm = ir.node("Gemm", [image, image], name="gemm")
    gemm.outputs[0].name = "net/dense/MatMul_Gemm__7:0"
    named = ir.node("Identity", [gemm.outputs[0]], name="named")
    named.outputs[0].name = "scores"
    return ir.Graph([image], [named.outputs[0]], nodes=[gemm, named], name="net")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("net/conv", "net/conv:0"),
        ("net/conv1", "net/conv:0"),
        ("net/add;net/conv", "net/add:0"),
        ("net/conv;net/relu;net/add", "net/relu:0"),
        ("net/dense/MatMul;net/dense/BiasAdd", "net/dense/MatMul_Gemm__7:0"),
        ("net/other", None),
    ],
)
def test_a_tensor_is_what_the_last_of_its_names_gives(
    graph: ir.Graph, name: str, found: str | None
) -> None:
    known = ["net/conv:0", "net/add:0", "net/relu:0", "net/dense/MatMul_Gemm__7:0", "image"]
    ranges = {n: Range(low=0.0, high=1.0) for n in known}
    made = counterparts(file(["in", name, "out"], []), graph, ranges, NODES)
    assert made.get(1) == found
    assert made[0] == "image"
    assert made[2] == "net/dense/MatMul_Gemm__7:0"  # the signature's name leads there


def test_ranges_follow_from_what_a_tensor_is_made_of() -> None:
    names = ["in", "moved", "clamped", "gate", "joined", "product", "out"]
    one = file(
        names,
        [
            ("RESHAPE", [0], 1),
            ("RELU6", [1], 2),
            ("LOGISTIC", [1], 3),
            ("CONCATENATION", [1, 3], 4),
            ("MUL", [4, 3], 5),
            ("RESHAPE", [5], 6),
        ],
    )
    ranges = {"image": Range(low=-2.0, high=9.0)}
    found = file_ranges(one, ranges, {0: "image"})
    assert found.range_of(1) == Range(low=-2.0, high=9.0)
    assert found.range_of(2) == Range(low=0.0, high=6.0)
    assert found.range_of(3) == Range(low=0.0, high=1.0)
    assert found.range_of(4) == Range(low=-2.0, high=9.0)
    assert found.range_of(5) is None
    assert [op.code for op in one.operators if found.lacks(op)] == ["MUL", "RESHAPE"]
    assert set(found.by_name()) == {"in", "moved", "clamped", "gate", "joined"}


def test_nodes_are_put_in_an_order_in_which_they_can_run() -> None:
    class Node:
        def __init__(self, name: str, *given: str) -> None:
            self.name, self.input = name, given

    class Graph:
        node: Any = (Node("c", "b:1", "^a"), Node("b", "a"), Node("a"))

    assert runnable_order(Graph()) == ["a", "b", "c"]
