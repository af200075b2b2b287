"""Scatter operators: elements put into a copy of the data by their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined, number_like
from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.gathering import flat_places, wrapped
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("ScatterND", since=11)
def scatter_nd(node: ir.Node, lowering: Lowering) -> None:
    """Lower a ScatterND."""
    data, places, updates = (lowering.view(value) for value in node.inputs)
    _refuse_batches(node, lowering, [data, places, updates])
    depth = places.shape[-1]
    sizes = np.array(data.shape[:depth], places.tensor.dtype)
    rows = lowering.plain(wrapped(lowering, places, sizes))
    lowering.bind(node.outputs[0], _scattered(node, lowering, data, rows, updates))


@lowers("ScatterElements", since=11)
def scatter_elements(node: ir.Node, lowering: Lowering) -> None:
    """Lower a ScatterElements: into the flattened data."""
    data, places, updates = (lowering.view(value) for value in node.inputs)
    _refuse_batches(node, lowering, [data, places, updates])
    axis = node.attributes.get_int("axis", 0) % data.rank
    size, count = int(np.prod(data.shape)), int(np.prod(places.shape))
    flat = lowering.reshaped(data, (size,), (size,))
    where = flat_places(lowering, places, data.shape, axis)
    rows = lowering.plain(lowering.reshaped(where, (count, 1), (count, 1)))
    what = lowering.reshaped(updates, (count,), (count,))
    found = _scattered(node, lowering, flat, rows, what)
    lowering.bind(node.outputs[0], lowering.reshaped(found, data.shape, data.shape))


def _scattered(node: ir.Node, lowering: Lowering, data: View, rows: Tensor, updates: View) -> View:
    """SCATTER_ND adds up what goes to one place, from zero: sums are added, others selected."""
    reduction = node.attributes.get_string("reduction", "none")
    if reduction not in ("none", "add"):
        raise lowering.unsupported(node, f"TFLite doesn't scatter by {reduction!r}")
    if reduction == "none" and not _once(rows):
        raise lowering.unsupported(
            node, "TFLite adds up what is written to one place; its places aren't known to differ"
        )
    if rows.dtype != np.int32:
        rows = lowering.emit("CAST", [rows], Options("CastOptions"), dtype=np.int32)
    added = _scatter(lowering, rows, lowering.plain(updates), data.shape)
    if reduction == "add":
        return combined(lowering, "ADD", [data, added])
    assert rows.data is not None
    mask = np.zeros(data.shape, np.bool_)
    mask[tuple(np.moveaxis(rows.data, -1, 0))] = True
    chosen = View.of(lowering.constant_tensor(mask, f"{node.name}/places"))
    return combined(lowering, "SELECT_V2", [chosen, added, data], dtype=data.tensor.dtype)


def _scatter(lowering: Lowering, rows: Tensor, updates: Tensor, shape: tuple[int, ...]) -> View:
    output = lowering.emit(
        "SCATTER_ND", [rows, updates, lowering.indices(shape, "shape")],
        Options("ScatterNdOptions"), shape=shape, batched=frozenset(), dtype=updates.dtype,
    )  # fmt: skip
    return View.of(output)


def _once(rows: Tensor) -> bool:
    """Whether each place is named once, as far as it is known."""
    if rows.data is None:
        return False
    flat = rows.data.reshape(-1, rows.shape[-1])
    return len(np.unique(flat, axis=0)) == len(flat)


def _refuse_batches(node: ir.Node, lowering: Lowering, views: list[View]) -> None:
    if any(view.batched for view in views):
        raise lowering.unsupported(
            node, "TFLite doesn't scatter into a batch of any size", "fix the batch with --input"
        )


@lowers("Trilu", since=14)
def trilu(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Trilu: one side of the diagonal becomes zero."""
    view = lowering.view(node.inputs[0])
    k = lowering.constant(node, 1)
    ones = np.ones(view.shape[-2:], np.bool_)
    side = np.triu if node.attributes.get_int("upper", 1) else np.tril
    mask = side(ones, 0 if k is None else int(k.reshape(-1)[0]))
    chosen = View.of(lowering.constant_tensor(mask, f"{node.name}/side"))
    zero = number_like(lowering, view, 0)
    found = combined(lowering, "SELECT_V2", [chosen, view, zero], dtype=view.tensor.dtype)
    lowering.bind(node.outputs[0], found)
