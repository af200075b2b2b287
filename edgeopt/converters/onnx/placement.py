"""Where integers go in a graph for ONNX Runtime: which nodes, and so which tensors.

A node with weights (Conv, Gemm, MatMul) is worth integers by itself. The operators around it
follow only where both sides are integer already: alone they would pay for two conversions and gain
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from edgeopt.calibration.points import (
    ELEMENTWISE_OPS,
    RESHAPING_OPS,
    after_clamp,
    is_activation,
    range_source,
)
from edgeopt.calibration.ranges import Range
from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer
from edgeopt.targets import FixedEncoding

ANCHORS = frozenset({"Conv", "Gemm", "MatMul"})
"""What ONNX Runtime's CPU kernels compute in integers from constant weights."""

FLOAT_ONLY = frozenset({"ConvTranspose", "LSTM", "GRU", "RNN", "Einsum", "Attention"})
"""Heavy operators that have no static integer kernel there: named when they stay float."""

CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})

KEPT_FLOAT = "kept float as asked"


@dataclass(frozen=True)
class Placement:
    """The plan.

    Args:
        anchors: Nodes with weights that become integer.
        followers: Nodes between them that do too.
        quantized: Activations that are quantized, in the graph's order.
        float_layers: Nodes with weights that stay float, and why.
        ranges: Of tensors that can't keep the range that was chosen for them.
        fixed: Encodings that a runtime's kernels assume, by the tensor's name.
    """

    anchors: tuple[ir.Node, ...]
    followers: tuple[ir.Node, ...]
    quantized: tuple[ir.Value, ...]
    float_layers: tuple[FloatLayer, ...]
    ranges: Mapping[str, Range] = field(default_factory=dict)
    fixed: Mapping[str, FixedEncoding] = field(default_factory=dict)


def place(
    graph: ir.Graph,
    ranges: Mapping[str, Range],
    kept: Set[str] = frozenset(),
    *,
    runtime: str = "ONNX Runtime",
) -> Placement:
    """Plan the integer parts of a float graph.

    Args:
        graph: The float graph.
        ranges: Every usable range, by tensor.
        kept: Names of nodes that are to stay float.
        runtime: What is to run it, for messages.
    """
    anchors: list[ir.Node] = []
    refused: list[FloatLayer] = []
    for node in graph:
        why = KEPT_FLOAT if node.name in kept else _why_float(node, ranges, runtime)
        if why is None:
            anchors.append(node)
        elif why:
            refused.append(FloatLayer(node=node.name or "", op=node.op_type, reason=why))
    followers = _followers(graph, set(anchors), ranges, kept)
    quantized = _quantized(graph, set(anchors), set(followers))
    return Placement(tuple(anchors), tuple(followers), quantized, tuple(refused))


def range_of(value: ir.Value, ranges: Mapping[str, Range]) -> Range | None:
    """The usable range of an activation, or None."""
    return ranges.get(range_source(value).name or "")


def _why_float(node: ir.Node, ranges: Mapping[str, Range], runtime: str) -> str | None:
    """None for an integer node, a reason for one that stays float, "" for one of no interest."""
    if node.domain:
        return ""
    if node.op_type in FLOAT_ONLY:
        return f"{runtime} has no static integer {node.op_type}"
    if node.op_type in CONTROL_FLOW:
        return (
            f"what is inside {node.op_type} is not quantized; fix what it depends on with --input"
        )
    if node.op_type not in ANCHORS:
        return ""
    return why_not_weights(node) or _why_not_ranges(node, ranges)


def why_not_weights(node: ir.Node) -> str | None:
    """Why a Conv, Gemm or MatMul has no weights for integers; None if it has."""
    weight = node.inputs[1]
    if weight is None or weight.const_value is None:
        return "both its operands are activations"
    if weight.dtype != ir.DataType.FLOAT:
        return f"its weights are {weight.dtype}"
    if node.op_type == "MatMul" and len(weight.const_value.shape) < 2:
        return "its weights are a vector"
    if node.op_type == "Gemm":
        return _why_not_gemm(node)
    return _why_not_bias(node)


def why_not_matrix(node: ir.Node) -> str | None:
    """Why a Gemm or MatMul has no single matrix of weights, as blocks need; None if it has."""
    why = why_not_weights(node)
    if why is not None:
        return why
    weight = node.inputs[1]
    assert weight is not None
    several = weight.shape is None or len(weight.shape) != 2
    return "its weights are a batch of matrices" if several else None


def _why_not_gemm(node: ir.Node) -> str | None:
    if node.attributes.get_int("transA", 0):
        return "its input is transposed (transA)"
    if node.attributes.get_float("alpha", 1.0) != 1 or node.attributes.get_float("beta", 1.0) != 1:
        return "it scales its operands (alpha, beta)"
    return _why_not_bias(node)


def _why_not_bias(node: ir.Node) -> str | None:
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is not None and bias.const_value is None:
        return "its bias is computed at run time"
    return None


def _why_not_ranges(node: ir.Node, ranges: Mapping[str, Range]) -> str | None:
    data = node.inputs[0]
    if data is None or not is_activation(data):
        return "its input is not a float32 activation"
    if range_of(data, ranges) is None:
        return f"the range of its input {data.name!r} is not usable (a mask, or an overflow)"
    # A convolution is integer only together with its output.
    if node.op_type == "Conv" and range_of(after_clamp(node.outputs[0]), ranges) is None:
        return f"the range of its output {node.outputs[0].name!r} is not usable"
    return None


def _followers(
    graph: ir.Graph, anchors: set[ir.Node], ranges: Mapping[str, Range], kept: Set[str]
) -> list[ir.Node]:
    candidates: dict[ir.Node, None] = {}
    for node in graph:
        if node.name not in kept and _may_follow(node, anchors, candidates, ranges):
            candidates[node] = None
    # Backwards: one whose result no integer node takes would only add conversions.
    for node in reversed(list(candidates)):
        if not any(c in anchors or c in candidates for c in _consumers(node.outputs[0])):
            del candidates[node]
    return list(candidates)


def _may_follow(
    node: ir.Node,
    anchors: set[ir.Node],
    candidates: Mapping[ir.Node, None],
    ranges: Mapping[str, Range],
) -> bool:
    if node.domain or node.op_type not in ELEMENTWISE_OPS | RESHAPING_OPS:
        return False
    if len(node.outputs) != 1 or range_of(after_clamp(node.outputs[0]), ranges) is None:
        return False
    inputs = node.inputs[:1] if node.op_type in RESHAPING_OPS else node.inputs
    return all(
        value is not None and _producer(value) in {*anchors, *candidates} for value in inputs
    )


def _quantized(
    graph: ir.Graph, anchors: set[ir.Node], followers: set[ir.Node]
) -> tuple[ir.Value, ...]:
    values: dict[ir.Value, None] = {}
    for node in graph:
        if node not in anchors and node not in followers:
            continue
        several = node.op_type in ELEMENTWISE_OPS
        for value in node.inputs if several else node.inputs[:1]:
            if value is not None and is_activation(value):
                values[value] = None
        if node.op_type == "Conv" or node in followers:
            values[after_clamp(node.outputs[0])] = None
    return tuple(values)


def _consumers(value: ir.Value) -> list[ir.Node]:
    return [node for node, _ in after_clamp(value).uses()]


def _producer(value: ir.Value) -> ir.Node | None:
    """The node that a value comes from, seen through the clamp that saturation takes over."""
    node = value.producer()
    if node is not None and node.op_type in ("Relu", "Clip") and node.inputs[0] is not None:
        before = node.inputs[0]
        return before.producer() if after_clamp(before) is value else node
    return node
