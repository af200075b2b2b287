"""Constant weights as integers: which axis is whose, the kernels' order, and one encoding for all.

Every precision for ONNX Runtime stores 8-bit weights the same way: symmetric, by the target's rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.encodings import (
    dequantized,
    integer_limits,
    quantize_weight,
    weight_scales,
)
from edgeopt.calibration.rounding import round_weights
from edgeopt.calibration.saturation import bounded_pairs, pair_floor
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding
from edgeopt.targets import TensorRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class IntegerWeight:
    """Weights that were rounded.

    Args:
        integers: Of the weights' shape.
        scales: Of each channel, ``(C,)``; all equal where the rule has one for the tensor.
        axis: The channels'.
        encoding: For the manifest and the file.
    """

    integers: Bytes
    scales: Floats
    axis: int
    encoding: Encoding

    @property
    def real(self) -> Floats:
        """What the integers stand for, of the weights' shape."""
        return dequantized(self.integers, self.scales, self.axis)


def constant(value: ir.Value | None) -> Floats | None:
    """A float32 constant's array; None for anything else."""
    if value is None or value.const_value is None or value.is_graph_input():
        return None
    if value.dtype is not None and value.dtype != ir.DataType.FLOAT:
        return None
    array: Floats = value.const_value.numpy()
    return array if array.dtype == np.float32 else None


def channel_axis(node: ir.Node, rank: int) -> int:
    """The axis of a node's weights that its outputs lie along."""
    if node.op_type == "Conv":
        return 0
    if node.op_type in ("ConvTranspose", "LSTM", "GRU", "RNN"):
        return 1
    if node.op_type == "Gemm":
        return 0 if node.attributes.get_int("transB", 0) else 1
    return rank - 1


def kernel_order(node: ir.Node, shape: tuple[int, ...]) -> NDArray[np.intp] | None:
    """The order in which ONNX Runtime's x86 kernels go through a layer's weights.

    Convolutions run over pixels with their channels innermost; matrix products down the columns.

    Args:
        node: A Conv, Gemm or MatMul.
        shape: Of its weights.

    Returns:
        Places in the flattened weights, ``(K, N)``, N running over channels; None for a depthwise
        convolution, whose kernel adds each product by itself.
    """
    places = np.arange(np.prod(shape)).reshape(shape)
    if node.op_type == "Conv":
        groups = node.attributes.get_int("group", 1)
        if shape[1] == 1 and groups == shape[0]:
            return None
        return np.moveaxis(places, (0, 1), (-1, -2)).reshape(-1, shape[0])
    if channel_axis(node, len(shape)) == 0:
        return places.T
    return np.moveaxis(places, -2, 0).reshape(shape[-2], -1)


def integer_weight(
    node: ir.Node,
    array: Floats,
    name: str,
    rule: TensorRule,
    floor: Floats | None = None,
    curvature: NDArray[np.float64] | None = None,
) -> IntegerWeight:
    """Round a layer's weights by the target's rule.

    Args:
        node: What they are for.
        array: The weights.
        name: What they are called.
        rule: Symmetric.
        floor: The least scale each channel may have, ``(C,)``.
        curvature: How the layer's inputs vary together, ``(G, K, K)``: rounded for the least error
            of its outputs; to nearest without.
    """
    axis = channel_axis(node, array.ndim)
    order = None if rule.pair_limit is None else kernel_order(node, array.shape)
    if order is not None and rule.pair_limit is not None:
        rows = array.reshape(-1)[order]
        pairs = pair_floor(rows, rule.pair_limit)
        if rows.shape[1] != array.shape[axis]:
            pairs = np.full(array.shape[axis], pairs.max(initial=0.0))
        floor = pairs if floor is None else np.maximum(floor, pairs)
    scales = weight_scales(array, axis, rule, floor)
    integers, encoding = quantize_weight(name, array, axis, scales, rule)
    if curvature is not None:
        integers = round_weights(array, axis, scales, integer_limits(rule), curvature)
    if order is not None and rule.pair_limit is not None:
        integers = within_pairs(integers, array, scales, order, rule.pair_limit)
    return IntegerWeight(integers, scales, axis, encoding)


def within_pairs(
    integers: Bytes, array: Floats, scales: Floats, order: NDArray[np.intp], limit: int
) -> Bytes:
    """Integers that no kernel of the target can saturate with.

    Args:
        integers: Rounded in whatever way.
        array: The real weights, of the same shape.
        scales: ``(C,)``.
        order: See :func:`kernel_order`.
        limit: What a pair of one sign may add up to.
    """
    flat = integers.reshape(-1).copy()
    each = scales if len(scales) == order.shape[1] else scales[:1]
    flat[order] = bounded_pairs(flat[order], array.reshape(-1)[order], each, limit)
    return flat.reshape(integers.shape)
