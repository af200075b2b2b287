"""Multiplying channels by powers of two, in the constants on either side of them.

Powers of two change exponents only: no rounding differs, in whatever order a runtime adds, so the
function stays the same bit for bit, barring numbers beyond float32's range.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeopt.converters.equalization.channels import ChannelMap, Layer, Numbers, Offset
from edgeopt.core.ir import ir

Floats = NDArray[np.float32]


def rescale(channels: ChannelMap, exponents: Numbers) -> None:
    """Multiply channels by powers of two, and undo it where they are used.

    Args:
        channels: Of the graph to edit.
        exponents: By number, ``(count,)``; that of :data:`FIXED` is 0.
    """
    for parameter in channels.parameters:
        steps = _steps(parameter, exponents)
        if steps.any():
            value = parameter.weight if isinstance(parameter, Layer) else parameter.constant
            value.const_value = ir.tensor(_scaled(parameter, steps), name=value.name)


def inexact(channels: ChannelMap, exponents: Numbers) -> NDArray[np.bool_]:
    """Which numbers can't be scaled so: a constant would leave float32's normal range.

    Args:
        channels: Of the graph.
        exponents: As :func:`rescale` takes them.

    Returns:
        By number, ``(count,)``.
    """
    found = np.zeros(channels.count, bool)
    for parameter in channels.parameters:
        steps = _steps(parameter, exponents)
        if not steps.any():
            continue
        after = _scaled(parameter, steps)
        lost = np.ldexp(_blocks(parameter, after), -steps) != _blocks(parameter, _array(parameter))
        if isinstance(parameter, Offset):
            np.logical_or.at(found, parameter.channels, lost.reshape(-1, lost.shape[-1]).any(0))
        else:
            lost = lost.any((3, 4))
            np.logical_or.at(found, parameter.inputs, lost.any(1))
            np.logical_or.at(found, parameter.outputs, lost.any(2))
    return found


def _steps(parameter: Layer | Offset, exponents: Numbers) -> NDArray[np.int32]:
    """What is added to each constant's exponent; of the rank of :func:`_blocks`."""
    if isinstance(parameter, Offset):
        return exponents[parameter.channels].astype(np.int32)
    given, taken = exponents[parameter.outputs], exponents[parameter.inputs]
    steps = given[:, :, np.newaxis] - taken[:, np.newaxis, :]
    return steps[..., np.newaxis, np.newaxis].astype(np.int32)


def _scaled(parameter: Layer | Offset, steps: NDArray[np.int32]) -> Floats:
    array = np.array(_array(parameter), order="C")
    blocks = _blocks(parameter, array)
    with np.errstate(over="ignore", under="ignore"):
        np.ldexp(blocks, steps, out=blocks)
    return array


def _blocks(parameter: Layer | Offset, array: Floats) -> Floats:
    """A view whose last axis, or first three, are the channels'."""
    if isinstance(parameter, Layer):
        return parameter.blocks(array)
    return np.moveaxis(array, parameter.axis, -1)


def _array(parameter: Layer | Offset) -> Floats:
    value = parameter.weight if isinstance(parameter, Layer) else parameter.constant
    assert value.const_value is not None
    array: Floats = value.const_value.numpy()
    return array
