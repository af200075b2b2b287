"""The factors of an input's normalization, taken into the weights of the first convolution.

A net that normalizes its pictures itself begins with ``(x / 255 - mean) / std``: three passes over
the largest tensor there is, in floats even where all else is integers. A convolution commutes with
a factor on each of its input's channels, whatever its padding, so the factors become part of its
weights. One sum is left, ``x - 255 mean``; none where the mean is zero.

The sum isn't taken into the bias: docs/decisions/0037 tells why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.editing import add_constant, free_name, replace_node
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

ALIKE = 2.0
"""How many times another channel's factor one may be: integers give all channels one scale, so
what a normalization made alike stays so."""

LEAST, MOST = 2.0**-10, 2.0**10
"""What factors may be: beyond, weights in float16 would lose bits."""

_STEPS = frozenset({"Mul", "Div", "Add", "Sub"})


@dataclass(frozen=True)
class _Step:
    """A node of the normalization.

    Args:
        node: A sum with or product by a constant, or a Transpose.
        index: Which of its inputs is an activation.
        axis: That one's axis of channels.
        constant: The other operand, ``(C,)``; None for a Transpose.
    """

    node: ir.Node
    index: int
    axis: int
    constant: Reals | None

    @property
    def data(self) -> ir.Value:
        """The activation it takes."""
        value = self.node.inputs[self.index]
        assert value is not None
        return value


def absorb_input_scaling(graph: ir.Graph) -> None:
    """Multiply the weights of convolutions by what an input is multiplied by before them.

    Args:
        graph: A float graph, its constants folded; edited where an input meets nothing but sums
            with and products by constants, of one element or one a channel, and transposes before
            a Conv.
    """
    for node in list(graph):
        if node.op_type == "Conv" and not node.domain and _has_weights(node):
            _absorb(graph, node)


def _absorb(graph: ir.Graph, conv: ir.Node) -> None:
    channels = _channels(conv)
    steps = [] if channels is None else list(_steps_before(conv, channels))[::-1]
    if channels is None or not steps or not steps[0].data.is_graph_input():
        return
    arithmetic = [step for step in steps if step.constant is not None]
    factor, offset = _composed(arithmetic, channels)
    kept = int(offset.any())
    if len(arithmetic) <= kept or not _moderate(factor, offset):
        return
    _scale(graph, conv, factor)
    for step in arithmetic[:kept]:
        _shift(graph, step, offset / factor)
    for step in arithmetic[kept:]:
        step.node.outputs[0].replace_all_uses_with(step.data)
        graph.remove(step.node, safe=True)


def _has_weights(conv: ir.Node) -> bool:
    return _is_constant(conv.inputs[1])


def _is_constant(value: ir.Value | None) -> bool:
    if value is None or value.const_value is None or value.is_graph_input():
        return False
    return value.const_value.dtype == ir.DataType.FLOAT


def _channels(conv: ir.Node) -> int | None:
    shape = conv.inputs[0].shape if conv.inputs[0] is not None else None
    channels = shape[1] if shape is not None and len(shape) > 2 else None
    return channels if isinstance(channels, int) else None


def _steps_before(conv: ir.Node, channels: int) -> Iterator[_Step]:
    """The steps before a convolution whose results nothing else reads, the last first."""
    value, axis = conv.inputs[0], 1
    while value is not None and len(value.uses()) == 1 and not value.is_graph_output():
        node = value.producer()
        step = None if node is None or node.domain else _step(node, axis, channels)
        if step is None:
            return
        yield step
        value, axis = step.data, step.axis


def _step(node: ir.Node, axis: int, channels: int) -> _Step | None:
    data = node.inputs[0] if node.inputs else None
    if node.op_type == "Transpose" and data is not None and "perm" in node.attributes:
        return _Step(node, 0, node.attributes["perm"].as_ints()[axis], None)
    if node.op_type not in _STEPS:
        return None
    place = 1 if _is_constant(node.inputs[1]) else 0
    data, other = node.inputs[1 - place], node.inputs[place]
    if data is None or data.shape is None or data.shape != node.outputs[0].shape:
        return None
    if not _is_constant(other) or (node.op_type == "Div" and place == 0):
        return None
    constant = _per_channel(other, len(data.shape), axis, channels)
    return None if constant is None else _Step(node, 1 - place, axis, constant)


def _per_channel(value: ir.Value | None, rank: int, axis: int, channels: int) -> Reals | None:
    assert value is not None
    assert value.const_value is not None
    array = np.asarray(value.const_value.numpy(), np.float64)
    sizes = (1,) * (rank - array.ndim) + array.shape
    if len(sizes) > rank or array.size not in (1, channels) or sizes[axis] != array.size:
        return None
    return np.broadcast_to(array.reshape(-1), (channels,))


def _composed(steps: Sequence[_Step], channels: int) -> tuple[Reals, Reals]:
    """What steps make of x: ``factor * x + offset``, ``(C,)`` each."""
    factor, offset = np.ones(channels), np.zeros(channels)
    for step in steps:
        assert step.constant is not None
        if step.node.op_type in ("Mul", "Div"):
            with np.errstate(divide="ignore", invalid="ignore"):  # refused below
                by = step.constant if step.node.op_type == "Mul" else 1 / step.constant
                factor, offset = factor * by, offset * by
        elif step.node.op_type == "Sub" and step.index == 1:
            factor, offset = -factor, step.constant - offset
        else:
            offset = offset + (step.constant if step.node.op_type == "Add" else -step.constant)
    return factor, offset


def _moderate(factor: Reals, offset: Reals) -> bool:
    sizes = np.abs(factor)
    within = np.isfinite(offset).all() and (sizes >= LEAST).all() and (sizes <= MOST).all()
    return bool(within and sizes.max() <= ALIKE * sizes.min())


def _scale(graph: ir.Graph, conv: ir.Node, factor: Reals) -> None:
    weight = conv.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    array = np.asarray(weight.const_value.numpy(), np.float64)
    groups, each = conv.attributes.get_int("group", 1), array.shape[1]
    # (O, C / groups, ...): an output's group says which of the input's channels it reads.
    by = factor.reshape(groups, 1, each).repeat(len(array) // groups, axis=1)
    scaled = array * by.reshape(len(array), each, *(1,) * (array.ndim - 2))
    conv.replace_input_with(1, _constant(graph, f"{weight.name}_scaled", scaled))


def _shift(graph: ir.Graph, step: _Step, shift: Reals) -> None:
    """Make a step the sum that is left.

    One number where all channels have the same: XNNPACK is slow with three along the last axis
    (a tenth of MobileNetV3Small's time in float).
    """
    numbers = shift.astype(np.float32)
    numbers = numbers[:1] if (numbers == numbers[0]).all() else numbers
    sizes = [1] * len(step.data.shape or ())
    sizes[step.axis] = len(numbers)
    value = _constant(graph, f"{step.node.name}_shift", numbers.reshape(sizes))
    replace_node(graph, step.node, [ir.node("Add", [step.data, value], name=step.node.name)])


def _constant(graph: ir.Graph, name: str, array: NDArray[Any]) -> ir.Value:
    return add_constant(graph, free_name(graph.initializers, name), array.astype(np.float32))
