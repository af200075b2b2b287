"""A look at a layer's output at a few places, also where the clamp or the integers cut it off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.onnx.clamped import ClampedLayer
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ENOUGH = 49
"""Places of each channel that are looked at in each sample, at least; more changed nothing
(EfficientNet-Lite0: 25, 49, 100 and 196 places)."""
MARGIN = 0.25
"""How far the probe's integers reach beyond each end of the clamp, in parts of its width."""
_LEVELS = 255


@dataclass(frozen=True, eq=False)
class Probe:
    """A copy of a layer, to run in the QDQ model's unsigned twin beside it.

    Args:
        nodes: The layer at its places; the last one's only output is the probe's.
        constants: Theirs.
        scale: Of the integers it gives, uint8 with ``zero_point``; None where it gives floats.
        zero_point: Theirs.
    """

    nodes: tuple[onnx.NodeProto, ...]
    constants: tuple[onnx.TensorProto, ...]
    scale: np.float32 | None
    zero_point: int

    def real(self, output: NDArray[np.generic]) -> Floats:
        """The layer's output that the probe's stands for, of the same shape."""
        floats: Floats = output.astype(np.float32)
        if self.scale is not None:
            floats -= np.float32(self.zero_point)
            floats *= self.scale
        return floats


def probe_of(layer: ClampedLayer) -> Probe:
    """The layer with its bias and without its clamp, at every :func:`stride_of`-th place.

    Rounded to integers the convolution runs in an integer kernel, and that nearly as fine as the
    layer's own; where there is no upper end to reach beyond, it stays in floats.
    """
    from onnx import numpy_helper

    nodes = [_copied(layer.node, "edgeopt_layer")]
    _widen(nodes[0], stride_of(layer), len(layer.activation.shape or ()) - 2)
    if layer.addition is not None:
        added = _copied(layer.addition, "edgeopt_sum")
        own = layer.node.outputs[0].name
        added.input[:] = ["edgeopt_layer" if name == own else name for name in added.input]
        nodes.append(added)
    width = layer.high - layer.low
    if not 0 < width < math.inf:
        return Probe(tuple(nodes), (), None, 0)
    scale = np.float32(width * (1 + 2 * MARGIN) / _LEVELS)
    zero_point = int(np.clip(np.rint((MARGIN * width - layer.low) / scale), 0, _LEVELS))
    constants = (
        numpy_helper.from_array(np.array(scale), "edgeopt_scale"),
        numpy_helper.from_array(np.array(zero_point, np.uint8), "edgeopt_zero_point"),
    )
    inputs = [nodes[-1].output[0], *(c.name for c in constants)]
    nodes.append(_node("QuantizeLinear", inputs, "edgeopt_rounded"))
    return Probe(tuple(nodes), constants, scale, zero_point)


def stride_of(layer: ClampedLayer) -> int:
    """The largest stride that leaves ``ENOUGH`` places of a convolution's output; 1 for others."""
    shape = layer.activation.shape
    # What SAME pads depends on the strides.
    pads = layer.node.attributes.get_string("auto_pad", "NOTSET")
    if layer.node.op_type != "Conv" or shape is None or pads not in ("NOTSET", "VALID"):
        return 1
    sizes = [size if isinstance(size, int) else 0 for size in shape[2:]]
    stride = 1
    while math.prod(-(-size // (stride + 1)) for size in sizes) >= ENOUGH:
        stride += 1
    return stride


def picked(graph: ir.Graph, layer: ClampedLayer) -> ir.Value:
    """Give the float graph a value: the layer's activation at the places that a probe looks at."""
    value, stride = layer.activation, stride_of(layer)
    if stride == 1:
        return value
    # One tap a channel: ONNX Runtime picks pixels so without leaving its blocked layout.
    spatial = len(value.shape or ()) - 2
    name = f"{value.name}_edgeopt_taps"
    taps = ir.tensor(np.ones((layer.channels, 1, *[1] * spatial), np.float32), name=name)
    constant = ir.Value(name=name, const_value=taps)
    graph.register_initializer(constant)
    attributes = {"group": layer.channels, "strides": [stride] * spatial}
    node = ir.node("Conv", [value, constant], attributes)
    graph.append(node)
    output = node.outputs[0]
    output.name, output.type = f"{value.name}_edgeopt", ir.TensorType(ir.DataType.FLOAT)
    return output


def by_channel(output: NDArray[np.generic], axis: int) -> NDArray[np.generic]:
    """A layer's output as ``(C, places)``: every n-th place where there are more than enough."""
    rows = np.moveaxis(output, axis, 0)
    rows = rows.reshape(len(rows), -1)
    return rows[:, :: max(1, rows.shape[1] // (2 * ENOUGH))]


def _copied(node: ir.Node, output: str) -> onnx.NodeProto:
    copy = ir.to_proto(node)
    copy.name = output
    copy.output[:] = [output]
    return copy


def _node(op: str, inputs: list[str], output: str) -> onnx.NodeProto:
    from onnx import helper

    return helper.make_node(op, inputs, [output], output)


def _widen(node: onnx.NodeProto, stride: int, spatial: int) -> None:
    """Multiply a convolution's strides."""
    from onnx import helper

    if stride == 1:
        return
    old = next((a for a in node.attribute if a.name == "strides"), None)
    strides = [1] * spatial
    if old is not None:
        strides = list(old.ints)
        node.attribute.remove(old)
    node.attribute.append(helper.make_attribute("strides", [s * stride for s in strides]))
