"""Relus and Clips that the ends of an integer range make superfluous."""

from __future__ import annotations

import math

from edgeopt.calibration.points import CLAMPING_OPS
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding


def absorb_clamp(graph: ir.Graph, value: ir.Value, encoding: Encoding) -> ir.Value:
    """Drop the Relu or Clip before a quantized tensor whose integers saturate where it would.

    Returns:
        The value to quantize: the clamp's input, under the clamp's name, or ``value`` itself.
    """
    clamp = value.producer()
    if clamp is None or clamp.op_type not in CLAMPING_OPS or clamp.domain:
        return value
    before, bounds = clamp.inputs[0], bounds_of(clamp)
    assert before is not None
    if bounds is None or before.producer() is None:
        return value
    if len(before.uses()) > 1 or before.is_graph_output():
        return value
    step = encoding.scale[0]
    # The zero point is rounded: an end may lie up to a step beyond the clamp's.
    if encoding.low < bounds[0] - step or encoding.high > bounds[1] + step:
        return value
    before.name, value.name = value.name, f"{value.name}_clamped"
    before.shape = value.shape
    value.replace_all_uses_with(before, replace_graph_outputs=True)
    graph.remove(clamp, safe=True)
    return before


def bounds_of(clamp: ir.Node) -> tuple[float, float] | None:
    """The constant bounds of a Relu or Clip; None if they are computed at run time."""
    if clamp.op_type == "Relu":
        return 0.0, math.inf
    bounds = [-math.inf, math.inf]
    for index, value in enumerate(clamp.inputs[1:3]):
        if value is None:
            continue
        if value.const_value is None:
            return None
        bounds[index] = float(value.const_value.numpy())
    return bounds[0], bounds[1]
