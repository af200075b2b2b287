"""The channels of a graph's tensors, numbered by what holds them together.

Channels that can't be scaled apart, as the two sides of a residual Add, share a number, and all
that can't be scaled at all have the number :data:`FIXED`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeopt.core.ir import ir

FIXED = 0
"""The number of every channel whose scale must stay."""

Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layer:
    """Constant weights between channels: of a convolution or a matrix product.

    Args:
        weight: The initializer.
        inputs: Numbers of the channels it takes, ``(groups, I)``.
        outputs: Numbers of the channels it gives, ``(groups, O)``.
        repeat: How many of a matrix product's rows belong to one input channel, flattened.
        input_major: Whether the input's channels come first in memory.
    """

    weight: ir.Value
    inputs: Numbers
    outputs: Numbers
    repeat: int = 1
    input_major: bool = False

    def blocks(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """A view of the weights as ``(groups, O, I, repeat, taps)``."""
        groups, inputs = self.inputs.shape
        outputs = self.outputs.shape[1]
        if self.input_major:
            return np.moveaxis(array.reshape(groups, inputs, self.repeat, outputs, -1), 3, 1)
        return array.reshape(groups, outputs, inputs, self.repeat, -1)


@dataclass(frozen=True, eq=False)
class Offset:
    """Constants added to channels: a layer's bias, or those of an Add.

    Args:
        constant: The initializer.
        axis: Its axis of the channels.
        channels: Their numbers, ``(C,)``.
    """

    constant: ir.Value
    axis: int
    channels: Numbers


@dataclass(frozen=True)
class ChannelMap:
    """All that holds the channels of a graph together.

    Args:
        parameters: Layers and offsets in the graph's order, a layer's bias right behind it.
        count: How many numbers there are; they go from 0 to ``count - 1``.
    """

    parameters: tuple[Layer | Offset, ...]
    count: int


@dataclass(frozen=True, eq=False)
class Channels:
    """The channels of one value.

    Args:
        rank: The value's.
        axis: The one they lie along.
        numbers: Theirs, ``(C,)``.
        repeat: How many places along the axis each has.
    """

    rank: int
    axis: int
    numbers: Numbers
    repeat: int = 1

    @property
    def size(self) -> int:
        """The axis' length."""
        return len(self.numbers) * self.repeat

    @property
    def place(self) -> tuple[int, ...]:
        """Equal for values whose channels can be tied one by one."""
        return self.rank, self.axis, len(self.numbers), self.repeat


class Tracer:
    """Follows channels through a graph, node by node; a union-find over their numbers."""

    def __init__(self) -> None:
        self._parents = [FIXED]
        self._fixed: list[Numbers] = []
        self._channels: dict[ir.Value, Channels] = {}
        self._parameters: list[Layer | Offset] = []

    def put(self, value: ir.Value, channels: Channels) -> None:
        """Note the channels of a value."""
        self._channels[value] = channels

    def fix(self, value: ir.Value | None) -> None:
        """Let nothing scale a value."""
        found = self.of(value)
        if found is not None:
            self._fixed.append(found.numbers)

    def of(self, value: ir.Value | None) -> Channels | None:
        """The channels of a value that comes from a layer through what commutes."""
        return self._channels.get(value) if value is not None else None

    def tied(self, several: list[Channels]) -> Channels | None:
        """Make the scales of values equal, channel by channel."""
        first, *others = several
        if any(other.place != first.place for other in others):
            return None
        for other in others:
            for one, two in zip(first.numbers.tolist(), other.numbers.tolist(), strict=True):
                self._parents[self._root(two)] = self._root(one)
        return first

    def layer(
        self,
        node: ir.Node,
        data: Channels | None,
        *,
        outputs_axis: int,
        groups: int = 1,
    ) -> Numbers | None:
        """Put a node's weights after a value.

        Args:
            node: Its input 1 is the weights, with both channels in the first two axes.
            data: The value's channels; None if they aren't free.
            outputs_axis: The weights' axis of the output's channels, 0 or 1.
            groups: A convolution's.

        Returns:
            The numbers of the channels they give, or None if they don't fit.
        """
        weight = node.inputs[1]
        shape = constant_shape(weight)
        if weight is None or not _scalable(weight) or len(shape) < 2:
            return None
        outputs = shape[outputs_axis] * (groups if outputs_axis else 1)
        inputs = shape[0] * shape[1] * groups // max(outputs, 1)
        taken = data or Channels(2, 1, np.full(inputs, FIXED))
        if taken.size != inputs or 0 in shape or outputs % groups or len(taken.numbers) % groups:
            return None
        given = np.arange(len(self._parents), len(self._parents) + outputs)
        self._parents.extend(given.tolist())
        sides = taken.numbers.reshape(groups, -1), given.reshape(groups, -1)
        self._parameters.append(Layer(weight, *sides, taken.repeat, bool(outputs_axis)))
        return given

    def offset(self, constant: ir.Value | None, axis: int, data: Channels) -> None:
        """Add constants to a value; where they can't follow its scales, these stay.

        Args:
            constant: None if there are none.
            axis: Its axis of the channels, counted from the end.
            data: The value's channels.
        """
        if constant is None:
            return
        shape = constant_shape(constant)
        fits = len(shape) >= -axis and shape[axis] == len(data.numbers)
        if fits and data.repeat == 1 and _scalable(constant):
            self._parameters.append(Offset(constant, len(shape) + axis, data.numbers))
        else:
            self._fixed.append(data.numbers)

    def finished(self) -> ChannelMap:
        """The map, its numbers without gaps."""
        roots = np.array([self._root(n) for n in range(len(self._parents))])
        # By tables: numpy's sets import its masked arrays first, which takes longer than all this.
        fixed, kept = np.zeros(len(roots), bool), np.zeros(len(roots), bool)
        fixed[roots[np.concatenate([[FIXED], *self._fixed])]] = True
        roots[fixed[roots]] = FIXED
        kept[roots] = True
        dense = (np.cumsum(kept) - 1)[roots]  # FIXED is the least, and stays 0

        def final(parameter: Layer | Offset) -> Layer | Offset:
            if isinstance(parameter, Offset):
                return replace(parameter, channels=dense[parameter.channels])
            sides = dense[parameter.inputs], dense[parameter.outputs]
            return replace(parameter, inputs=sides[0], outputs=sides[1])

        return ChannelMap(tuple(map(final, self._parameters)), int(kept.sum()))

    def _root(self, number: int) -> int:
        parents = self._parents
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number


def is_constant(value: ir.Value) -> bool:
    """Whether a value is an initializer that no caller of the model can replace."""
    return value.is_initializer() and not value.is_graph_input() and value.const_value is not None


def _scalable(value: ir.Value) -> bool:
    """Whether a constant is float32 and one parameter's alone."""
    alone = len(value.uses()) == 1 and not value.is_graph_output()
    return is_constant(value) and alone and value.dtype == ir.DataType.FLOAT


def constant_shape(constant: ir.Value | None) -> tuple[int, ...]:
    """The shape of a constant; empty if it isn't one."""
    if constant is None or constant.const_value is None:
        return ()
    return tuple(d for d in constant.const_value.shape if isinstance(d, int))
