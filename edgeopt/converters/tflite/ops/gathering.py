"""Gather and its kin: elements picked by their places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.tflite.elementwise import cast, combined, number_like, with_number
from edgeopt.converters.tflite.known import Known
from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import places_of, sliced
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Gather")
def gather(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Gather; one element of an axis is a SLICE."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    known = lowering.known(node.inputs[1])
    if known is not None and known.fixed:
        lowering.bind(node.outputs[0], _fixed_places(node, lowering, view, axis, known.one))
        return
    if known is not None and view.rank == 1 and _in_order(known, view):
        shapes = known.one.shape, known.many.shape
        lowering.bind(node.outputs[0], lowering.reshaped(view, *shapes))
        return
    if axis in view.batched:
        raise lowering.unsupported(node, "it picks from the batch", "fix the batch with --input")
    if known is not None:
        raise lowering.unsupported(node, "what it picks depends on the size of the batch")
    tensor = lowering.plain(view)
    places = lowering.plain(wrapped(lowering, lowering.view(node.inputs[1]), view.shape[axis]))
    shape = (*tensor.shape[:axis], *places.shape, *tensor.shape[axis + 1 :])
    shift = len(places.shape) - 1
    grows = frozenset(axis + n for n in places.batched)
    grows |= frozenset(n if n < axis else n + shift for n in tensor.batched if n != axis)
    output = lowering.emit(
        "GATHER", [tensor, places], Options("GatherOptions", {"axis": axis, "batchDims": 0}),
        shape=shape, batched=grows,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View.of(output))


def _in_order(known: Known, view: View) -> bool:
    """Whether places are all of them, one after the other: what exporters make of as_strided."""
    return all(
        np.array_equal(places.reshape(-1), np.arange(size))
        for places, size in ((known.one, view.shape[0]), (known.many, many_shape(view)[0]))
    )


@lowers("GatherND", since=11)
def gather_nd(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GatherND: each row of its places names an element, or a part."""
    view = lowering.view(node.inputs[0])
    count = node.attributes.get_int("batch_dims", 0)
    known = lowering.known(node.inputs[1])
    if known is not None and not count and _takes_all(known, view):
        rest = slice(known.one.shape[-1], None)
        one = (*known.one.shape[:-1], *view.shape[rest])
        many = (*known.many.shape[:-1], *many_shape(view)[rest])
        lowering.bind(node.outputs[0], lowering.reshaped(view, one, many))
        return
    if known is not None and known.fixed and count:
        places = known.one
        grid = np.indices(places.shape[:-1])[:count]
        if view.batched & set(range(count)):
            raise lowering.unsupported(node, "it picks by entry of the batch")
        full = np.concatenate([np.stack(list(grid), -1), places], -1)
        indices = View.of(lowering.constant_tensor(full.astype(np.int64), f"{node.name}/places"))
    elif count:
        raise lowering.unsupported(node, "it has batch_dims, and places computed when it runs")
    else:
        indices = lowering.view(node.inputs[1])
    depth = indices.shape[-1]
    if view.batched & set(range(depth)):
        raise lowering.unsupported(node, "it picks from the batch", "fix the batch with --input")
    sizes = np.array(view.shape[:depth], indices.tensor.dtype)
    rows = lowering.plain(wrapped(lowering, indices, sizes))
    tensor = lowering.plain(view)
    outer = len(rows.shape) - 1
    output = lowering.emit(
        "GATHER_ND", [tensor, rows], Options("GatherNdOptions"),
        shape=(*rows.shape[:-1], *tensor.shape[depth:]),
        batched=rows.batched | frozenset(n - depth + outer for n in tensor.batched),
    )  # fmt: skip
    lowering.bind(node.outputs[0], View.of(output))


def _takes_all(known: Known, view: View) -> bool:
    """Whether places name every element in its order, whatever the batch.

    PyTorch's attention masks are exported so: picked by the grid of all batches and tokens.
    """
    for places, sizes in ((known.one, view.shape), (known.many, many_shape(view))):
        lead = sizes[: places.shape[-1]]
        rows = places.reshape(-1, len(lead))
        if len(rows) != math.prod(lead) or len(lead) != places.shape[-1]:
            return False
        if (rows < 0).any() or (rows >= np.array(lead)).any():
            return False
        if not np.array_equal(np.ravel_multi_index(tuple(rows.T), lead), np.arange(len(rows))):
            return False
    return True


@lowers("GatherElements", since=11)
def gather_elements(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GatherElements: a GATHER from the flattened data."""
    view, indices = lowering.view(node.inputs[0]), lowering.view(node.inputs[1])
    axis = node.attributes.get_int("axis", 0) % view.rank
    if view.batched or indices.batched:
        raise lowering.unsupported(
            node, "TFLite doesn't pick by entry of a batch of any size",
            "fix the batch with --input",
        )  # fmt: skip
    flat = lowering.plain(lowering.reshaped(view, *[(math.prod(view.shape),)] * 2))
    places = flat_places(lowering, indices, view.shape, axis)
    output = lowering.emit(
        "GATHER", [flat, lowering.plain(places)], Options("GatherOptions", {"axis": 0}),
        shape=indices.shape,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View.of(output))


def flat_places(lowering: Lowering, indices: View, shape: tuple[int, ...], axis: int) -> View:
    """Where in flattened data each element is whose place along one axis is given."""
    strides = [math.prod(shape[n + 1 :]) for n in range(len(shape))]
    grid = np.indices(indices.shape)
    base = sum(
        (grid[n] * strides[n] for n in range(len(shape)) if n != axis),
        start=np.zeros(indices.shape, np.int64),
    )
    kind = indices.tensor.dtype
    start = View.of(lowering.constant_tensor(np.asarray(base, kind), "places"))
    steps = with_number(lowering, "MUL", wrapped(lowering, indices, shape[axis]), strides[axis])
    return combined(lowering, "ADD", [steps, start])


def wrapped(lowering: Lowering, indices: View, size: int | NDArray[Any]) -> View:
    """Places counted from the end made places counted from the start."""
    tensor = indices.tensor
    if tensor.dtype not in (np.int32, np.int64):
        indices = cast(lowering, indices, np.int32)
        tensor = indices.tensor
    sizes = np.asarray(size, tensor.dtype)
    if tensor.data is not None:
        # In the order of the stored axes, where sizes go along the last one.
        array = np.where(tensor.data < 0, tensor.data + sizes, tensor.data).astype(np.int32)
        return indices.at(lowering.constant_tensor(array, f"{tensor.name}_places"))
    if lowering.never_negative(tensor):
        return indices
    other = View.of(lowering.constant_tensor(sizes, "sizes"))
    return combined(lowering, "FLOOR_MOD", [indices, other])


def picked(lowering: Lowering, view: View, axis: int, places: NDArray[Any]) -> View:
    """Elements along one axis, by constant places in one dimension."""
    order = view.storage_order() or tuple(range(view.rank))
    tensor = lowering.stored(view, order)
    place = order.index(axis)
    shape = tuple(len(places) if n == place else d for n, d in enumerate(tensor.shape))
    output = lowering.emit(
        "GATHER", [tensor, lowering.indices(places.tolist(), "places")],
        Options("GatherOptions", {"axis": place}), shape=shape, batched=tensor.batched,
    )  # fmt: skip
    return View(output, places_of(order))


def _fixed_places(
    node: ir.Node, lowering: Lowering, view: View, axis: int, places: NDArray[Any]
) -> View:
    size = view.shape[axis]
    if axis in view.batched and places.size != 1:
        raise lowering.unsupported(node, "it picks from the batch", "fix the batch with --input")
    reached = (int(places.min(initial=0)), int(places.max(initial=0)))
    if axis not in view.batched and not (-size <= reached[0] and reached[1] < size):
        raise lowering.unsupported(
            node, f"it picks from {reached[0]} to {reached[1]}, of {size}", "mend its indices"
        )
    if places.size == 1:
        at = int(places.reshape(-1)[0])
        end = at + 1 or None
        one = sliced(lowering, view, {axis: slice(at, end, 1)}).squeezed({axis})
        return one.expanded([axis + n for n in range(places.ndim)])
    flat = np.where(places < 0, places + size, places).reshape(-1)
    found = picked(lowering, view, axis, flat)
    if places.ndim == 1:
        return found
    shapes = [
        (*sizes[:axis], *places.shape, *sizes[axis + 1 :])
        for sizes in (found.shape, many_shape(found))
    ]
    return lowering.reshaped(found, *shapes)


@lowers("OneHot", since=9)
def one_hot(node: ir.Node, lowering: Lowering) -> None:
    """Lower a OneHot."""
    depth, values = lowering.constant(node, 1), lowering.constant(node, 2)
    assert depth is not None
    assert values is not None
    view = lowering.view(node.inputs[0])
    if view.tensor.dtype not in (np.int32, np.int64):
        view = cast(lowering, view, np.int64)
    size = int(depth.reshape(-1)[0])
    zero = number_like(lowering, view, 0)
    below = combined(lowering, "LESS", [view, zero], dtype=np.bool_)
    moved = with_number(lowering, "ADD", view, size)
    view = combined(lowering, "SELECT_V2", [below, moved, view], dtype=view.tensor.dtype)
    axis = node.attributes.get_int("axis", -1) % (view.rank + 1)
    off, on = values.reshape(-1)
    tensor = lowering.plain(view)
    output = lowering.emit(
        "ONE_HOT",
        [tensor, lowering.constant_tensor(np.array(size, np.int32), "depth"),
         lowering.constant_tensor(np.asarray(on), "on"),
         lowering.constant_tensor(np.asarray(off), "off")],
        Options("OneHotOptions", {"axis": axis}),
        shape=(*tensor.shape[:axis], size, *tensor.shape[axis:]),
        batched=frozenset(n + (n >= axis) for n in tensor.batched), dtype=values.dtype,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View.of(output))
