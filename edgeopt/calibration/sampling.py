"""Taking a part of each activation out of the running graph, as float16.

What costs is moving a whole tensor out of ONNX Runtime's blocked layout (NCHWc). A depthwise
convolution whose kernels are one-hot stays in that layout: with a stride it picks one pixel of each
block, and only what it picked is moved. Which pixel differs from channel to channel.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from edgeopt.calibration.points import CLAMPING_OPS, ELEMENTWISE_OPS
from edgeopt.core.ir import ir

_BLOCKED = ELEMENTWISE_OPS | CLAMPING_OPS | {"Sigmoid", "HardSigmoid", "HardSwish", "MaxPool"}
"""Operators through which a convolution's output stays what it is: an image of finite numbers."""

_LARGEST = np.finfo(np.float32).max

ENOUGH = 4096
"""Elements kept of each tensor of each sample, at least: below that nothing is left out."""


@dataclass(frozen=True)
class Samplers:
    """The outputs that were added to a graph.

    Args:
        values: By tensor: the output of its float16 values.
        means: By image tensor that weights read: the output of its channels' means, over what was
            sampled, ``(N, C, 1, 1)`` float32.
        strides: By tensor; 1 where every element is taken.
    """

    values: dict[str, str]
    means: dict[str, str]
    strides: dict[str, int]


def add_samplers(
    graph: ir.Graph, names: Sequence[str], averaged: Container[str] = (), *, exact: bool = False
) -> Samplers:
    """Add outputs for each named tensor; the graph keeps its own outputs.

    Args:
        graph: Edited.
        names: Float32 activations.
        averaged: Those whose channels' means are wanted.
        exact: Take every element.
    """
    values = {v.name: v for node in graph for v in node.outputs}
    values.update({v.name: v for v in graph.inputs})
    added = Samplers({}, {}, {})
    for index, name in enumerate(names):
        value = values[name]
        stride = 1 if exact else stride_of(value)
        picked = value if stride == 1 else _picked(graph, value, stride)
        added.strides[name] = stride
        cast = ir.Node("", "Cast", [picked], [ir.AttrInt64("to", ir.DataType.FLOAT16)])
        added.values[name] = _output(graph, cast, ir.DataType.FLOAT16, f"edgeopt_{index}")
        if name in averaged and value.shape is not None and len(value.shape) == 4:
            pool = ir.Node("", "GlobalAveragePool", [picked])
            added.means[name] = _output(graph, pool, ir.DataType.FLOAT, f"edgeopt_mean_{index}")
    return added


def stride_of(value: ir.Value) -> int:
    """The largest stride that leaves ``ENOUGH`` elements of an image tensor; 1 for any other."""
    shape = value.shape
    if shape is None or len(shape) != 4 or value.producer() is None:
        return 1
    channels, height, width = (d if isinstance(d, int) else 0 for d in shape[1:])
    if not channels * height * width:
        return 1
    stride = int(math.sqrt(channels * height * width / ENOUGH))
    while stride > 1 and channels * (height // stride) * (width // stride) < ENOUGH:
        stride -= 1
    return max(1, min(stride, height, width))


def _picked(graph: ir.Graph, value: ir.Value, stride: int) -> ir.Value:
    assert value.shape is not None
    channels = value.shape[1]
    assert isinstance(channels, int)
    side, step = _grid(stride)
    name = f"edgeopt_taps_{channels}_{stride}"
    if name not in graph.initializers:
        taps = ir.Tensor(_taps(channels, stride), name=name)
        graph.register_initializer(ir.Value(name=name, const_value=taps))
    # As such: telling what plain numbers are to be takes onnx-ir longer than all the rest.
    attributes = [
        ir.AttrInt64("group", channels),
        ir.AttrInt64s("kernel_shape", [side, side]),
        ir.AttrInt64s("dilations", [step, step]),
        ir.AttrInt64s("strides", [stride, stride]),
    ]
    finite = value if _is_image(value) else _bounded(graph, value)
    node = ir.Node("", "Conv", [finite, graph.initializers[name]], attributes)
    graph.append(node)
    return node.outputs[0]


def _is_image(value: ir.Value) -> bool:
    """Whether a convolution made it, but for operators that leave it in its layout."""
    waiting: list[ir.Value | None] = [value]
    seen: set[ir.Node] = set()
    while waiting:
        read = waiting.pop()
        node = read.producer() if read is not None else None
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.op_type in ("Conv", "ConvTranspose"):
            return True
        if node.op_type in _BLOCKED:
            waiting.extend(node.inputs)
    return False


def _bounded(graph: ir.Graph, value: ir.Value) -> ir.Value:
    """The value without infinities, as an attention's mask has: times a tap of 0 they are NaN."""
    names = []
    for name, bound in (("edgeopt_least", -_LARGEST), ("edgeopt_most", _LARGEST)):
        if name not in graph.initializers:
            constant = ir.tensor(np.array(bound, np.float32), name=name)
            graph.register_initializer(ir.Value(name=name, const_value=constant))
        names.append(graph.initializers[name])
    node = ir.node("Clip", [value, *names])
    graph.append(node)
    return node.outputs[0]


def _grid(stride: int) -> tuple[int, int]:
    """The taps of a kernel along an axis, and the pixels from one to the next.

    Three, dilated, reach from the first to the last pixel of each block of ``stride``: a kernel
    with a tap for each pixel would cost as much as reading the whole tensor.
    """
    return (stride, 1) if stride < 3 else (3, (stride - 1) // 2)


def _taps(channels: int, stride: int) -> np.ndarray:
    """One-hot kernels ``(C, 1, k, k)``.

    The first pixel of a block is at an image's border in the first block: it is looked at in one
    channel of ``stride`` only, so that borders count no more than they should.
    """
    side, _ = _grid(stride)
    places = _turns(channels, side, stride)
    taps = np.zeros((channels, side, side), np.float32)
    # The columns take their turns at another pace, so that rows and columns are independent.
    mixed = np.argsort(np.arange(channels) * 0.6180339887 % 1, kind="stable")
    taps[np.arange(channels), places, places[mixed]] = 1
    return taps.reshape(channels, 1, side, side)


def _turns(channels: int, side: int, stride: int) -> np.ndarray:
    """The tap of each channel along one axis, ``(C,)``: the first one in one of ``stride``."""
    first = np.arange(channels) % stride == 0
    others = 1 + np.arange(channels) % max(side - 1, 1)
    turns: np.ndarray = np.where(first, 0, np.minimum(others, side - 1))
    return turns


def _output(graph: ir.Graph, node: ir.Node, dtype: ir.DataType, name: str) -> str:
    node.outputs[0].name = name
    node.outputs[0].type = ir.TensorType(dtype)
    graph.append(node)
    graph.outputs.append(node.outputs[0])
    return name
