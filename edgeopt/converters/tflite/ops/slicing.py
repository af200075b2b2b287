"""Slice and Split: parts of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import sliced
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Slice")
def slice_(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Slice: SLICE for steps of 1, STRIDED_SLICE for others."""
    view = lowering.view(node.inputs[0])
    starts, ends = lowering.setting(node, 1, "starts"), lowering.setting(node, 2, "ends")
    assert starts is not None
    assert ends is not None
    axes = lowering.setting(node, 3, "axes") or range(len(starts))
    steps = lowering.setting(node, 4, "steps") or [1] * len(starts)
    cuts = {
        axis % view.rank: slice(start, end if end >= -_FAR or step > 0 else None, step)
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True)
    }
    lowering.bind(node.outputs[0], sliced(lowering, view, cuts))


_FAR = 1 << 31
"""Below minus this, an end means "to the beginning", which Python calls None."""


@lowers("Split", since=2)
def split(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Split: a SLICE for each part, which delegates take."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    sizes = lowering.setting(node, 1, "split")
    whole, count = view.shape[axis], len(node.outputs)
    if axis in view.batched:
        raise lowering.unsupported(node, "it splits the batch", "fix the batch with --input")
    if sizes is None:
        each = -(-whole // count)
        sizes = [max(min(each, whole - n * each), 0) for n in range(count)]
    ends = np.cumsum(sizes)
    for output, size, end in zip(node.outputs, sizes, ends, strict=True):
        cut = {axis: slice(int(end - size), int(end), 1)}
        lowering.bind(output, sliced(lowering, view, cut))
