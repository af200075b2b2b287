"""Through which operators a channel's scale passes.

Multiplying a channel by a positive number commutes with the operators listed at the end of this
file, and constant weights on either side can undo it. It doesn't pass a clamp above zero (ReLU6) or
any other curve, the graph's inputs and outputs, weights that several nodes share, or an operator
that isn't listed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgeopt.converters.equalization.channels import (
    ChannelMap,
    Channels,
    Numbers,
    Tracer,
    constant_shape,
    is_constant,
)
from edgeopt.core.ir import ir


def map_channels(graph: ir.Graph) -> ChannelMap:
    """Number the channels of a float graph.

    Args:
        graph: Sorted topologically. The bodies of control flow fix what they use.
    """
    tracer = Tracer()
    for node in graph:
        _visit(tracer, node)
    for value in graph.outputs:
        tracer.fix(value)
    return tracer.finished()


def _visit(tracer: Tracer, node: ir.Node) -> None:
    """Find the channels of a node's output, or fix those of its inputs."""
    rule = None if node.domain else _RULES.get(node.op_type)
    found = rule(tracer, node) if rule is not None else None
    if found is None:
        for value in node.inputs:
            tracer.fix(value)
        return
    tracer.put(node.outputs[0], found)
    if any(user.graph is not node.graph for user, _ in node.outputs[0].uses()):
        tracer.fix(node.outputs[0])  # a body of control flow takes it


Rule = Callable[[Tracer, ir.Node], Channels | None]
"""Gives the channels of a node's output; None, having changed nothing, if scales can't pass."""


def _convolution(tracer: Tracer, node: ir.Node) -> Channels | None:
    data = tracer.of(node.inputs[0])
    if data is not None and data.axis != 1:
        return None
    axis = 1 if node.op_type == "ConvTranspose" else 0
    groups = node.attributes.get_int("group", 1) or 1
    given = tracer.layer(node, data, outputs_axis=axis, groups=groups)
    return _with_bias(tracer, node, given, len(constant_shape(node.inputs[1])))


def _gemm(tracer: Tracer, node: ir.Node) -> Channels | None:
    data = tracer.of(node.inputs[0])
    if node.attributes.get("transA") is not None and node.attributes["transA"].as_int():
        return None
    if data is not None and data.axis != 1:
        return None
    transposed = node.attributes.get("transB")
    axis = 0 if transposed is not None and transposed.as_int() else 1
    return _with_bias(tracer, node, tracer.layer(node, data, outputs_axis=axis), 2)


def _with_bias(tracer: Tracer, node: ir.Node, given: Numbers | None, rank: int) -> Channels | None:
    if given is None:
        return None
    found = Channels(rank, 1, given)
    tracer.offset(node.inputs[2] if len(node.inputs) > 2 else None, -1, found)
    return found


def _product(tracer: Tracer, node: ir.Node) -> Channels | None:
    data, shape = tracer.of(node.inputs[0]), constant_shape(node.inputs[1])
    rank = data.rank if data is not None else len(_dims(node.inputs[0]))
    if rank < 2 or len(shape) != 2 or (data is not None and data.axis != rank - 1):
        return None
    given = tracer.layer(node, data, outputs_axis=1)
    return None if given is None else Channels(rank, rank - 1, given)


def _passing(tracer: Tracer, node: ir.Node) -> Channels | None:
    # What else goes in (slopes, a shape) is constant, and nothing but the first output is used.
    rest = [v for v in node.inputs[1:] if v is not None and not is_constant(v)]
    used = [v for v in node.outputs[1:] if v.uses() or v.is_graph_output()]
    return None if rest or used else tracer.of(node.inputs[0])


def _image(tracer: Tracer, node: ir.Node) -> Channels | None:
    data = _passing(tracer, node)
    return data if data is not None and data.axis == 1 else None


def _clip(tracer: Tracer, node: ir.Node) -> Channels | None:
    for bound in node.inputs[1:]:
        if bound is None:
            continue
        if bound.const_value is None:
            return None
        limit = bound.const_value.numpy()
        if not np.all(np.isinf(limit) | (limit == 0)):  # those alone are the same at any scale
            return None
    return None if {"min", "max"} & set(node.attributes) else _passing(tracer, node)


def _sum(tracer: Tracer, node: ir.Node) -> Channels | None:
    constants = [v for v in node.inputs if v is not None and is_constant(v)]
    values = [tracer.of(v) for v in node.inputs if v not in constants]
    known = [v for v in values if v is not None]
    if not known or len(known) < len(values) or any(_grows(v, known[0]) for v in constants):
        return None
    found = tracer.tied(known)
    if found is not None:
        for constant in constants:
            tracer.offset(constant, found.axis - found.rank, found)
    return found


def _factor(tracer: Tracer, node: ir.Node) -> Channels | None:
    places = (0,) if node.op_type == "Div" else (0, 1)
    for place in places:
        found, other = tracer.of(node.inputs[place]), node.inputs[1 - place]
        if found is not None and other is not None and is_constant(other):
            return None if _grows(other, found) else found
    return None


def _concat(tracer: Tracer, node: ir.Node) -> Channels | None:
    parts = [p for p in map(tracer.of, node.inputs) if p is not None]
    if len(parts) < len(node.inputs) or len({(p.rank, p.axis) for p in parts}) != 1:
        return None
    first = parts[0]
    if node.attributes["axis"].as_int() % first.rank != first.axis:
        return tracer.tied(parts)
    numbers = np.concatenate([np.repeat(p.numbers, p.repeat) for p in parts])
    return Channels(first.rank, first.axis, numbers)


def _reshape(tracer: Tracer, node: ir.Node) -> Channels | None:
    """Flattening and the like: each channel stays one block along axis 1."""
    data = _passing(tracer, node)
    before, after = (_dims(v)[1:] for v in (node.inputs[0], node.outputs[0]))
    if data is None or data.axis != 1 or not before or not after:
        return None
    known = [d for d in (*before, *after) if d is not None]
    # Where all but the batch is known and of one size before and after, so is the batch.
    if len(known) < len(before) + len(after):
        return None
    if math.prod(known[: len(before)]) != math.prod(known[len(before) :]):
        return None
    width = known[len(before)]
    if width == 0 or width % len(data.numbers):
        return None
    return Channels(len(after) + 1, 1, data.numbers, width // len(data.numbers))


def _transpose(tracer: Tracer, node: ir.Node) -> Channels | None:
    data, order = tracer.of(node.inputs[0]), node.attributes.get("perm")
    if data is None:
        return None
    axes = list(order.as_ints()) if order is not None else list(reversed(range(data.rank)))
    return replace(data, axis=axes.index(data.axis))


def _resize(tracer: Tracer, node: ir.Node) -> Channels | None:
    data, place = _image(tracer, node), node.attributes.get("coordinate_transformation_mode")
    if place is not None and place.as_string() == "tf_crop_and_resize":
        return None  # fills in a constant
    after = _dims(node.outputs[0])
    return data if data is not None and len(after) > 1 and after[1] == data.size else None


_RULES: dict[str, Rule] = {
    **dict.fromkeys(("Conv", "ConvTranspose"), _convolution),
    "Gemm": _gemm,
    "MatMul": _product,
    **dict.fromkeys(("Relu", "LeakyRelu", "PRelu", "Identity", "Dropout"), _passing),
    **dict.fromkeys(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"), _image),
    "Clip": _clip,
    **dict.fromkeys(("Add", "Sub", "Sum"), _sum),
    **dict.fromkeys(("Mul", "Div"), _factor),
    "Concat": _concat,
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _reshape),
    "Transpose": _transpose,
    "Resize": _resize,
}


def _grows(constant: ir.Value, data: Channels) -> bool:
    """Whether broadcasting against a constant gives a value more axes or channels."""
    shape, axis = constant_shape(constant), data.axis - data.rank
    return len(shape) > data.rank or (len(shape) >= -axis and shape[axis] not in (1, data.size))


def _dims(value: ir.Value | None) -> list[int | None]:
    """A value's dimensions, None for those that aren't known; empty if its rank isn't."""
    if value is None or value.shape is None:
        return []
    return [d if isinstance(d, int) else None for d in value.shape]
