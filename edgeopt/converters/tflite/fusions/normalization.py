"""The normalization of an image input as a convolution, which LiteRT has integers for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.ranges import Range
from edgeopt.converters.editing import add_constant, replace_node
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


def convolve_normalization(graph: ir.Graph, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Replace ``(image - mean) / std`` at an input by a depthwise convolution of one pixel.

    The weights are 1 / std and the bias is -mean / std. Each channel has one weight, which 8 bits
    hold exactly, and the bias has 32: nothing is lost beyond the rounding of the input.

    Args:
        graph: Edited: where numbers, or a number for each channel, are added to an image input and
            multiplied with it, up to a value that has a range.
        ranges: By tensor.

    Returns:
        The ranges of those inputs: what becomes of them is what was observed.
    """
    found = {}
    for value in graph.inputs:
        steps = list(_steps(value))
        while steps and steps[-1][0].outputs[0].name not in ranges:
            steps.pop()
        if steps:
            last, factor, offset = steps[-1]
            found[value.name or ""] = _before(ranges[last.outputs[0].name or ""], factor, offset)
            _convolve(graph, value, [node for node, *_ in steps], factor, offset)
    return found


def _steps(value: ir.Value) -> Iterator[tuple[ir.Node, Reals, Reals]]:
    """The nodes behind an image, and ``factor * image + offset`` after each, ``(C,)``."""
    channels = list(value.shape or ())[1:2]
    if value.dtype != ir.DataType.FLOAT or len(value.shape or ()) != 4:
        return
    if not channels or not isinstance(channels[0], int):
        return
    factor, offset = np.ones(channels[0]), np.zeros(channels[0])
    while len(value.uses()) == 1 and not value.is_graph_output():
        ((node, index),) = value.uses()
        number = _per_channel(node, 1 - index, channels[0])
        if number is None or (node.op_type == "Div" and index == 1):
            return
        if node.op_type in ("Mul", "Div"):
            by = number if node.op_type == "Mul" else 1 / number
            factor, offset = factor * by, offset * by
        elif node.op_type == "Sub" and index == 1:
            factor, offset = -factor, number - offset
        else:
            offset = offset + (number if node.op_type == "Add" else -number)
        yield node, factor, offset
        value = node.outputs[0]


def _per_channel(node: ir.Node, index: int, channels: int) -> Reals | None:
    """A constant operand as ``(C,)``; None if it is something else."""
    if node.domain or node.op_type not in ("Add", "Sub", "Mul", "Div"):
        return None
    value = node.inputs[index]
    if value is None or value.const_value is None or value.const_value.size not in (1, channels):
        return None
    array = np.asarray(value.const_value.numpy(), np.float64)
    if array.size > 1 and (array.ndim < 3 or array.shape[-3] != channels):
        return None
    if node.op_type in ("Mul", "Div") and not array.all():
        return None
    return np.broadcast_to(array.reshape(-1), (channels,)).copy()


def _before(after: Range, factor: Reals, offset: Reals) -> Range:
    """The range of the image, from that of ``factor * image + offset``."""
    ends = (np.array([[after.low], [after.high]]) - offset) / factor
    return Range(low=min(0.0, float(ends.min())), high=max(0.0, float(ends.max())))


def _convolve(
    graph: ir.Graph, image: ir.Value, steps: Sequence[ir.Node], factor: Reals, offset: Reals
) -> None:
    channels, name = len(factor), steps[-1].name or "normalization"
    weight = factor.astype(np.float32).reshape(channels, 1, 1, 1)
    constants = [
        add_constant(graph, f"{name}_scale", weight),
        add_constant(graph, f"{name}_shift", offset.astype(np.float32)),
    ]
    groups = [ir.AttrInt64("group", channels)]
    conv = ir.Node("", "Conv", [image, *constants], groups, name=name)
    replace_node(graph, steps[-1], [conv])
    for node in reversed(steps[:-1]):
        graph.remove(node, safe=True)
