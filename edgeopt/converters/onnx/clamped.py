"""The layers of a QDQ model whose output is clamped: by a Relu, a Clip, or the integers' ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.points import CLAMPING_OPS, after_clamp
from edgeopt.converters.onnx.clamps import bounds_of
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYER_OPS = frozenset({"Conv", "Gemm", "MatMul"})


@dataclass(frozen=True, eq=False)
class Bias:
    """A layer's bias, which nothing else reads.

    Args:
        value: Its initializer: ``(C,)`` int32, or ``C`` floats in any shape.
        scale: What one step of the integers is worth, ``(C,)`` or ``(1,)``; None for floats.
    """

    value: ir.Value
    scale: NDArray[np.float64] | None

    def move(self, shift: NDArray[np.float64]) -> bool:
        """Add ``shift``, ``(C,)``, as nearly as its type can.

        Returns:
            Whether that changed it.
        """
        before = constant(self.value)
        if self.scale is None:
            after = (before + shift.reshape(before.shape)).astype(before.dtype)
        else:
            limit = 2**31 - 1
            after = np.clip(before + np.rint(shift / self.scale), -limit, limit).astype(np.int32)
        self.value.const_value = ir.tensor(after, name=self.value.name)
        return bool((after != before).any())


@dataclass(frozen=True, eq=False)
class ClampedLayer:
    """One layer.

    Args:
        node: The Conv, Gemm or MatMul in the QDQ graph.
        addition: The Add that holds a MatMul's bias.
        channels: How many outputs it has.
        bias: Its own.
        activation: The clamp's output in the float graph.
        low: Where the clamp, or the integers after it, cut off.
        high: Likewise; infinite where nothing does.
    """

    node: ir.Node
    addition: ir.Node | None
    channels: int
    bias: Bias
    activation: ir.Value
    low: float
    high: float

    @property
    def axis(self) -> int:
        """The channels' axis of its output."""
        return 1 if self.node.op_type == "Conv" else -1


def clamped_layers(floats: ir.Graph, quantized: ir.Graph) -> tuple[ClampedLayer, ...]:
    """Find those with integer weights and a constant bias, in the graph's order.

    Args:
        floats: The float graph; a layer has the same node name in both.
        quantized: The QDQ graph. A bias that several layers share becomes one for each.
    """
    named = {node.name: node for node in floats if node.name}
    found = (_layer(node, named.get(node.name or "")) for node in quantized)
    return tuple(layer for layer in found if layer is not None)


def constant(value: ir.Value | None) -> np.ndarray:
    """The array of an initializer."""
    assert value is not None
    assert value.const_value is not None
    return value.const_value.numpy()


def _layer(node: ir.Node, twin: ir.Node | None) -> ClampedLayer | None:
    """The layer that a node of the QDQ graph is, ``twin`` being the same in the float graph."""
    if twin is None or node.op_type not in LAYER_OPS or node.op_type != twin.op_type:
        return None
    activation = after_clamp(_with_addition(twin)[1])
    bounds = _clamp_bounds(activation)
    weight = _dequantized(node.inputs[1])
    if bounds is None or weight is None:
        return None
    addition, output = _with_addition(node)
    channels = constant(weight).shape[_outputs_axis(node)]
    bias = _bias(node if addition is None else addition, channels)
    if bias is None:
        return None
    ends = _integer_bounds(output)
    low, high = max(bounds[0], ends[0]), min(bounds[1], ends[1])
    return ClampedLayer(node, addition, channels, bias, activation, low, high)


def _with_addition(node: ir.Node) -> tuple[ir.Node | None, ir.Value]:
    """The Add of a constant that alone reads a MatMul, and the layer's output with it."""
    output = node.outputs[0]
    uses = output.uses()
    if node.op_type != "MatMul" or len(uses) != 1 or output.is_graph_output():
        return None, output
    ((following, index),) = uses
    other = following.inputs[1 - index] if following.op_type == "Add" else None
    known = other is not None and (other.const_value is not None or _dequantized(other) is not None)
    if not known or following.domain:
        return None, output
    return following, following.outputs[0]


def _clamp_bounds(activation: ir.Value) -> tuple[float, float] | None:
    """The constant bounds of the Relu or Clip that a value comes from; None if it doesn't."""
    clamp = activation.producer()
    if clamp is None or clamp.op_type not in CLAMPING_OPS or clamp.domain:
        return None
    return bounds_of(clamp)


def _integer_bounds(output: ir.Value) -> tuple[float, float]:
    """The ends of the integers that a layer's output is rounded to; infinite if it isn't."""
    for value in dict.fromkeys((output, after_clamp(output))):
        for consumer, _ in value.uses():
            if consumer.op_type == "QuantizeLinear" and len(consumer.inputs) > 2:
                scale, zero = constant(consumer.inputs[1]), constant(consumer.inputs[2])
                ends = np.iinfo(zero.dtype)
                low, high = (int(end) - int(zero) for end in (ends.min, ends.max))
                return low * float(scale), high * float(scale)
    return -math.inf, math.inf


def _bias(holder: ir.Node, channels: int) -> Bias | None:
    """The bias that a Conv, a Gemm or an Add holds, made its own if others share it."""
    places = (0, 1) if holder.op_type == "Add" else range(2, len(holder.inputs))
    for index in places:
        value = holder.inputs[index]
        integers = _dequantized(value)
        if integers is not None and value is not None and len(value.uses()) == 1:
            pair = value.producer()
            assert pair is not None
            scale = constant(pair.inputs[1]).reshape(-1).astype(np.float64)
            return _sized(Bias(_own(integers, pair, 0), scale), channels)
        if value is not None and value.const_value is not None:
            return _sized(Bias(_own(value, holder, index), None), channels)
    return None


def _sized(bias: Bias, channels: int) -> Bias | None:
    return bias if constant(bias.value).size == channels else None


def _own(value: ir.Value, reader: ir.Node, index: int) -> ir.Value:
    """A constant that no other node reads."""
    if len(value.uses()) == 1:
        return value
    graph = reader.graph
    assert isinstance(graph, ir.Graph)
    taken = graph.initializers
    names = (f"{value.name}_{i}" for i in range(2, len(taken) + 3))
    name = next(name for name in names if name not in taken)
    own = ir.Value(name=name, const_value=ir.tensor(constant(value), name=name))
    graph.register_initializer(own)
    reader.replace_input_with(index, own)
    return own


def _dequantized(value: ir.Value | None) -> ir.Value | None:
    """The constant integers that a value is made of; None if it is made of anything else."""
    pair = None if value is None else value.producer()
    if pair is None or pair.op_type != "DequantizeLinear":
        return None
    known: Sequence[ir.Value | None] = pair.inputs
    return known[0] if all(v is not None and v.const_value is not None for v in known) else None


def _outputs_axis(node: ir.Node) -> int:
    """The axis of the weight that the outputs lie along."""
    if node.op_type == "Gemm":
        return 0 if node.attributes.get_int("transB", 0) else 1
    return 0 if node.op_type == "Conv" else -1
