"""Proving of an artifact that no kernel can saturate with it, whatever it is fed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeopt.calibration.saturation import PAIR_LIMIT, worst_pairs
from edgeopt.converters.onnx.weights import kernel_order
from edgeopt.core.ir import ir

_PRODUCTS = frozenset({"Conv", "Gemm", "MatMul"})
_EIGHT_BITS = frozenset({ir.DataType.UINT8, ir.DataType.INT8})


@dataclass(frozen=True)
class PairBound:
    """How far the paired weights of one layer reach.

    Args:
        node: The layer's name.
        worst: The most that two paired weights of one sign add up to; 0 where each product is added
            by itself.
    """

    node: str
    worst: int

    @property
    def safe(self) -> bool:
        """Whether no activations at all can saturate a 16-bit sum of two of its products."""
        return self.worst <= PAIR_LIMIT


def pair_bounds(artifact: Path) -> tuple[PairBound, ...]:
    """The bound of every layer that ONNX Runtime may compute from 8-bit integers.

    It depends on the weights alone: every activation is taken to be as large as 8 bits allow.

    Args:
        artifact: A QDQ model, or one with MatMulIntegers.
    """
    graph = ir.load(artifact).graph
    return tuple(_bound(node, weight) for node, weight in _integer_layers(graph))


def _bound(node: ir.Node, weight: np.ndarray) -> PairBound:
    order = kernel_order(node, weight.shape)
    worst = 0.0 if order is None else worst_pairs(weight.reshape(-1)[order]).max(initial=0.0)
    return PairBound(node.name or "", int(worst))


def _integer_layers(graph: ir.Graph) -> Iterator[tuple[ir.Node, np.ndarray]]:
    for node in graph:
        if node.domain or len(node.inputs) < 2:
            continue
        weight: ir.Value | None = node.inputs[1]
        if node.op_type in _PRODUCTS:
            data, pair = _dequantize(node.inputs[0]), _dequantize(weight)
            if data is None or pair is None or _type(data) not in _EIGHT_BITS:
                continue
            weight = pair.inputs[0]
        elif node.op_type != "MatMulInteger":
            continue
        if weight is not None and weight.const_value is not None:
            array = weight.const_value.numpy()
            if array.dtype == np.int8:
                yield node, array


def _dequantize(value: ir.Value | None) -> ir.Node | None:
    node = value.producer() if value is not None else None
    return node if node is not None and node.op_type == "DequantizeLinear" else None


def _type(dequantize: ir.Node) -> ir.DataType | None:
    """Of the integers that it takes: told by its zero point, and uint8 where it has none."""
    zero_point = dequantize.inputs[2] if len(dequantize.inputs) > 2 else None
    return ir.DataType.UINT8 if zero_point is None else zero_point.dtype
