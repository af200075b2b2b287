"""Matrix products: FULLY_CONNECTED with constant weights, BATCH_MATMUL of two activations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.convolution import layer_bias
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Gemm")
def gemm(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Gemm with constant weights."""
    data, weight = lowering.view(node.inputs[0]), lowering.view(node.inputs[1])
    get = node.attributes
    if not weight.tensor.constant:
        raise lowering.unsupported(node, "its weights are computed when the model runs")
    if get.get_float("alpha", 1.0) != 1 or get.get_float("beta", 1.0) != 1:
        raise lowering.unsupported(node, "it scales its operands (alpha, beta)")
    if get.get_int("transA", 0):
        data = data.permuted((1, 0))
    rows = weight if get.get_int("transB", 0) else weight.permuted((1, 0))
    bias = None
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        bias = layer_bias(node, lowering, rows.shape[0])
    lowering.bind(node.outputs[0], fully_connected(lowering, data, rows, bias))


@lowers("MatMul")
def matmul(node: ir.Node, lowering: Lowering) -> None:
    """Lower a MatMul."""
    data, other = lowering.view(node.inputs[0]), lowering.view(node.inputs[1])
    if other.tensor.constant and other.rank == 2 and data.rank >= 2:
        rows = other.permuted((1, 0))
        lowering.bind(node.outputs[0], fully_connected(lowering, data, rows, None))
        return
    if data.rank < 2 or other.rank < 2:
        raise lowering.unsupported(node, "one of its operands is a vector")
    lowering.bind(node.outputs[0], _batched(lowering, data, other))


def fully_connected(lowering: Lowering, data: View, rows: View, bias: Tensor | None) -> View:
    """``data @ rows^T + bias`` along the value's last axis.

    Where that axis is a flattened image stored in another order, the constant weights are put in
    that order instead of the data.

    Args:
        lowering: The walk.
        data: ``(..., K)``.
        rows: Constant, ``(N, K)``.
        bias: ``(N,)``.
    """
    outer = tuple(range(data.rank - 1))
    last = data.axes[-1]
    if last != tuple(sorted(last)):
        sizes = [data.tensor.shape[i] for i in last]
        parts = View.of(lowering.plain(rows).reshaped((rows.shape[0], *sizes)))
        places = sorted(range(len(last)), key=lambda n: last[n])
        weight = lowering.stored(parts, (0, *(1 + n for n in places)))
        weight = weight.reshaped((rows.shape[0], math.prod(sizes)))
        data = View(data.tensor, (*data.axes[:-1], tuple(sorted(last))))
    else:
        weight = lowering.plain(rows)
    tensor = lowering.stored(data, (*outer, data.rank - 1))
    options = Options("FullyConnectedOptions", {"keepNumDims": True})
    output = lowering.emit(
        "FULLY_CONNECTED", [tensor, weight, bias], options,
        shape=(*tensor.shape[:-1], rows.shape[0]), batched=tensor.batched,
    )  # fmt: skip
    return View.of(output)


def _batched(lowering: Lowering, data: View, other: View) -> View:
    rank = max(data.rank, other.rank)
    data = data.expanded(list(range(rank - data.rank)))
    other = other.expanded(list(range(rank - other.rank)))
    left = lowering.plain(data)
    # A transposed right operand is read as it is stored.
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    turned = other.storage_order() == swapped and min(other.shape[-2:]) > 1
    right = lowering.stored(other, swapped) if turned else lowering.plain(other)
    outer = np.broadcast_shapes(data.shape[:-2], other.shape[:-2])
    grown = frozenset(n for view in (data, other) for n in view.batched if n < rank - 2)
    output = lowering.emit(
        "BATCH_MATMUL", [left, right], Options("BatchMatMulOptions", {"adjY": turned}),
        shape=(*outer, data.shape[-2], other.shape[-1]),
        batched=grown | (data.batched & {rank - 2}),
    )  # fmt: skip
    return View.of(output)
