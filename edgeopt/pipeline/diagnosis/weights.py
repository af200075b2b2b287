"""A layer's weights against their integers, channel by channel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.alone import constants, dequantized
from edgeopt.pipeline.diagnosis.counterparts import before_pair, stored_constant
from edgeopt.pipeline.diagnosis.noise import decibels
from edgeopt.pipeline.diagnosis.points import LAYER_OPS
from edgeopt.pipeline.diagnosis.records import WeightChannel, WeightDiagnosis
from edgeopt.pipeline.inspection.encodings import encoded_tensor

WORST = 5
"""How many channels are named."""


def compare_weights(graph: ir.Graph, artifact: ir.Graph) -> Iterator[WeightDiagnosis]:
    """Compare every layer's weights, in the float graph's order.

    A layer that reads other channels than the float one's, since they were scaled before it, is
    left out: its weights were scaled too.
    """
    nodes = {node.name: node for node in artifact if node.name}
    for node in graph:
        same = nodes.get(node.name or "")
        if node.op_type not in LAYER_OPS or same is None:
            continue
        found = _compare(node, same) if reads_the_same(node, same) else None
        if found is not None:
            yield found


def reads_the_same(node: ir.Node, same: ir.Node) -> bool:
    """Whether an artifact's layer reads the tensor that the float graph's layer does."""
    mine, value = node.inputs[0], same.inputs[0]
    if mine is None or value is None:
        return False
    producer = value.producer()
    paired = producer is not None and before_pair(producer) is not None
    name = encoded_tensor(producer) if producer is not None and paired else value.name
    return name == mine.name


def output_axis(node: ir.Node, rank: int) -> int:
    """The axis of a layer's weights that its outputs lie along."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1
    if node.op_type == "Gemm":
        return 0 if node.attributes.get_int("transB", 0) else 1
    return rank - 1


def _compare(node: ir.Node, same: ir.Node) -> WeightDiagnosis | None:
    weight = node.inputs[1] if len(node.inputs) > 1 else None
    stored = stored_constant(same.inputs[1]) if len(same.inputs) > 1 else None
    if weight is None or weight.const_value is None or stored is None:
        return None
    reference = weight.const_value.numpy().astype(np.float32)
    integers, scale, _ = constants(stored)
    if integers.shape != reference.shape or scale.size not in (1, *reference.shape):
        return None  # not an encoding by tensor or by channel
    axis = output_axis(node, reference.ndim)
    signals = _by_channel(reference, axis)
    noises = _by_channel(reference - dequantized(stored), axis)
    return WeightDiagnosis(
        node=node.name or "",
        op=node.op_type,
        dtype=integers.dtype.name,
        channels=len(signals),
        per_channel=scale.size > 1 or len(signals) == 1,
        sqnr_db=decibels(float(signals.sum()), float(noises.sum())),
        spread=_spread(reference, axis),
        worst=_worst(signals, noises),
    )


def _worst(signals: np.ndarray, noises: np.ndarray) -> tuple[WeightChannel, ...]:
    # An all-zero channel is exact, and no worst one.
    ratios = np.where(noises > 0, signals / np.maximum(noises, 1e-300), np.inf)
    order = [int(i) for i in np.argsort(ratios, kind="stable")[:WORST]]
    return tuple(
        WeightChannel(index=i, sqnr_db=decibels(float(signals[i]), float(noises[i]))) for i in order
    )


def _spread(weight: np.ndarray, axis: int) -> float:
    largest = np.abs(np.moveaxis(weight, axis, 0)).reshape(weight.shape[axis], -1)
    largest = largest.max(1, initial=0)
    median = float(np.median(largest))
    return float(largest.max(initial=0)) / median if median > 0 else 1.0


def _by_channel(array: np.ndarray, axis: int) -> np.ndarray:
    flat = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    powers: np.ndarray = np.square(flat, dtype=np.float64).sum(1)
    return powers
