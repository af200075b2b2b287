"""Which tensors are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.counterparts import quantized_values, values_of
from edgeopt.pipeline.diagnosis.points import find_points, linked

Make = Callable[..., Path]


def float_graph(artifact: Path) -> ir.Graph:
    return ir.load(artifact.with_name("conv_net.fp32.onnx")).graph


def test_layers_and_quantized_tensors(artifact: Path) -> None:
    graph = float_graph(artifact)
    found = list(find_points(graph, {"image", "r1", "c2", "sum"}))
    assert [(p.tensor, p.node, p.op) for p in found] == [
        ("image", "input", "input"),
        ("r1", "conv1", "Conv+Clip"),
        ("c2", "depthwise", "Conv"),
        ("sum", "residual", "Add"),
        ("scores", "head", "Gemm"),
    ]


def test_what_only_moves_quantized_values_adds_nothing(detector: Path, make: Make) -> None:
    made = make(detector)
    graph = ir.load(made.with_name("detector.fp32.onnx")).graph
    assert [p.tensor for p in find_points(graph, {"image", "r1", "both"})] == [
        "image", "r1", "both", "detections"
    ]  # fmt: skip


def test_what_lies_around_them(artifact: Path) -> None:
    reference, made = float_graph(artifact), ir.load(artifact).graph
    found = {**values_of(made), **quantized_values(made)}
    points = [p for p in find_points(reference, quantized_values(made)) if p.tensor in found]
    by_name = {p.tensor: p for p in linked(points, found, made)}
    assert by_name["r1"].before == ("image",)
    assert set(by_name["sum"].before) == {"c2", "r1"}
    assert by_name["c2"].outputs == ()
    assert by_name["scores"].outputs == ("scores",)
    names = list(by_name)
    assert (names[0], names[-1]) == ("image", "scores")
