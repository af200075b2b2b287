"""Matrix products: FULLY_CONNECTED with constant weights, BATCH_MATMUL of two activations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined, with_number
from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.convolution import layer_bias
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import LARGEST_RANK
from edgeopt.converters.tflite.views import View
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Gemm", since=7)
def gemm(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Gemm: ``alpha * A @ B + beta * C``."""
    data, weight = lowering.view(node.inputs[0]), lowering.view(node.inputs[1])
    get = node.attributes
    if get.get_int("transA", 0):
        data = data.permuted((1, 0))
    rows = weight if get.get_int("transB", 0) else weight.permuted((1, 0))
    alpha, beta = get.get_float("alpha", 1.0), get.get_float("beta", 1.0)
    third = node.inputs[2] if len(node.inputs) > 2 else None
    added = None if third is None else lowering.view(third)
    bias = None
    if added is not None and _is_bias(added, rows.shape[0]) and alpha == beta == 1:
        bias, added = layer_bias(node, lowering, rows.shape[0]), None
    if weight.tensor.constant:
        result = fully_connected(lowering, data, rows, bias)
    else:
        result = batched_product(lowering, data, rows.permuted((1, 0)))
    if alpha != 1:
        result = with_number(lowering, "MUL", result, alpha)
    if added is not None:
        if beta != 1:
            added = with_number(lowering, "MUL", added, beta)
        result = combined(lowering, "ADD", [result, added])
    elif bias is not None and not weight.tensor.constant:
        result = combined(lowering, "ADD", [result, View.of(bias)])
    lowering.bind(node.outputs[0], result)


def _is_bias(added: View, channels: int) -> bool:
    """Whether what is added is one constant a channel."""
    return added.tensor.constant and added.shape in ((channels,), (1, channels))


@lowers("MatMul")
def matmul(node: ir.Node, lowering: Lowering) -> None:
    """Lower a MatMul; a vector is a matrix of one row or column."""
    data, other = lowering.view(node.inputs[0]), lowering.view(node.inputs[1])
    if 0 in (data.rank, other.rank):
        raise lowering.unsupported(node, "one of its operands is a number")
    row, column = data.rank == 1, other.rank == 1
    if row:
        data = data.expanded([0])
    if column:
        other = other.expanded([1])
    if other.tensor.constant and other.rank == 2:
        result = fully_connected(lowering, data, other.permuted((1, 0)), None)
    else:
        result = batched_product(lowering, data, other)
    gone = {result.rank - 2} if row else set()
    gone |= {result.rank - 1} if column else set()
    lowering.bind(node.outputs[0], result.squeezed(gone) if gone else result)


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


def batched_product(lowering: Lowering, data: View, other: View) -> View:
    """``data @ other`` of two activations, ``(..., M, K)`` and ``(..., K, N)``, which broadcast."""
    rank = max(data.rank, other.rank)
    data = data.expanded(list(range(rank - data.rank)))
    other = other.expanded(list(range(rank - other.rank)))
    if rank > LARGEST_RANK - 1:
        raise UnsupportedError(
            f"{lowering.name}: a matrix product has {rank} dimensions; TFLite takes 5",
            hint="keep --to onnx for this model",
        )
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
