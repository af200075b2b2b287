"""Which tensors of a float graph need a range, whatever the runtime."""

from __future__ import annotations

from collections.abc import Container

from edgeopt.core.ir import ir

MATRIX_OPS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""Operators whose work is worth doing in integers; each has its weights as input 1."""

ELEMENTWISE_OPS = frozenset(
    {"Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu"}
)
"""Operators that runtimes can keep in integers between two of those."""

RESHAPING_OPS = frozenset(
    {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "MaxPool", "DepthToSpace",
     "SpaceToDepth", "Slice"}
)  # fmt: skip
"""Operators that only move values: their output has the range of their input."""

CLAMPING_OPS = frozenset({"Relu", "Clip"})
"""Activations that saturation of the integers takes over."""


def observation_points(graph: ir.Graph) -> tuple[str, ...]:
    """The tensors to observe, in the graph's order.

    Every float32 activation that goes into or comes out of a matrix product, a convolution or an
    operator that can stay in integers beside them. One that is only clamped is left out: what is
    quantized there is the clamp's output.
    """
    points: dict[str, None] = {}
    for node in graph:
        if node.domain or node.op_type not in MATRIX_OPS | ELEMENTWISE_OPS:
            continue
        for value in (*node.inputs, *(after_clamp(o) for o in node.outputs)):
            if value is not None and is_activation(value):
                points[range_source(value).name or ""] = None
    return tuple(points)


def first_points(graph: ir.Graph, points: Container[str]) -> tuple[str, ...]:
    """Those of some tensors that none of the others comes before: what the inputs become first.

    A model that normalizes its input has no range for the input itself; these are next to it.
    """
    heads = [v.name or "" for v in graph.inputs if v.name in points]
    behind = {v for v in graph.inputs if v.name in points}
    for node in graph:
        follows = not behind.isdisjoint(node.inputs)
        for value in node.outputs:
            if value.name in points and not follows:
                heads.append(value.name or "")
            if follows or value.name in points:
                behind.add(value)
    return tuple(heads)


def is_activation(value: ir.Value) -> bool:
    """Whether a value is float32 and computed when the model runs."""
    constant = value.const_value is not None or value.is_initializer()
    return value.dtype == ir.DataType.FLOAT and not constant


def after_clamp(value: ir.Value) -> ir.Value:
    """The output of the Relu or Clip that is the value's only consumer, or the value itself."""
    uses = value.uses()
    if len(uses) == 1 and not value.is_graph_output():
        (consumer, index), *_ = uses
        if consumer.op_type in CLAMPING_OPS and index == 0 and not consumer.domain:
            return consumer.outputs[0]
    return value


def range_source(value: ir.Value) -> ir.Value:
    """The value whose range this one shares: before any operators that only move values."""
    node = value.producer()
    while node is not None and node.op_type in RESHAPING_OPS and not node.domain:
        source = node.inputs[0]
        if source is None or not is_activation(source):
            break
        value, node = source, source.producer()
    return value


def channel_axes(graph: ir.Graph) -> dict[str, int]:
    """The axis of the channels of every tensor that goes into weights, where it is known.

    A matrix product after a global pool reads the pool's channels, through whatever flattens them.
    """
    axes: dict[str, int] = {}
    for node in graph:
        data = node.inputs[0] if node.op_type in MATRIX_OPS and not node.domain else None
        if data is None or data.shape is None or not is_activation(data):
            continue
        source = range_source(data)
        name = source.name or ""
        convolution = node.op_type in ("Conv", "ConvTranspose")
        if _is_pooled(source) or (convolution and _same_channels(source, data)):
            axes[name] = 1
        elif source is data and not convolution:
            axes[name] = len(data.shape) - 1
    return axes


def _same_channels(source: ir.Value, data: ir.Value) -> bool:
    # A pool between them keeps the channels; an Unsqueeze makes new ones.
    if source.shape is None or data.shape is None or len(source.shape) != len(data.shape):
        return source is data
    return source.shape[1] == data.shape[1]


def _is_pooled(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and node.op_type == "GlobalAveragePool" and not node.domain
