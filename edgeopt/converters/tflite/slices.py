"""Parts of a value, by numpy's rules for slices."""

from __future__ import annotations

from collections.abc import Iterable

from edgeopt.converters.tflite.model import MANY, Options, Tensor
from edgeopt.converters.tflite.storage import Storage, many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.errors import UnsupportedError

LARGEST_STRIDED = 5
"""Dimensions of a STRIDED_SLICE."""

Spans = dict[int, range]
"""The places that are taken along each stored axis; axes that aren't here are taken whole."""


def sliced(storage: Storage, view: View, cuts: dict[int, slice]) -> View:
    """A part of a value along some of its axes (numpy's rules for slices)."""
    order = view.storage_order() or tuple(range(view.rank))
    innermost = order[-1] if order else -1
    if innermost in cuts and _divides(view, innermost, cuts[innermost]):
        left = {axis: cut for axis, cut in cuts.items() if axis != innermost}
        return sliced(storage, _every(storage, view, innermost, cuts[innermost]), left)
    spans = {
        order.index(axis): span
        for axis, cut in cuts.items()
        if (span := _span(storage, view, axis, cut)) is not None
    }
    if not spans:
        return view
    tensor = storage.stored(view, order)
    shape = tuple(len(spans[n]) if n in spans else d for n, d in enumerate(tensor.shape))
    grows = tensor.batched - frozenset(spans)
    plain = all(span.step == 1 for span in spans.values())
    if plain and (not grows or len(shape) > LARGEST_STRIDED):
        return View(_slice(storage, tensor, spans, shape, grows), places_of(order))
    return View(_strided_slice(storage, tensor, spans, shape, grows), places_of(order))


def places_of(order: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The axes of a view whose value's axes are stored in an order."""
    return tuple((order.index(n),) for n in range(len(order)))


def _span(storage: Storage, view: View, axis: int, cut: slice) -> range | None:
    """The places that a slice takes of an axis; None for all of them, whatever the batch."""
    size = view.shape[axis]
    span = range(*cut.indices(size))
    if axis not in view.batched:
        return None if span == range(size) else span
    many = range(*cut.indices(size * MANY))
    if many == range(size * MANY):
        return None
    if many != span:
        raise UnsupportedError(
            f"{storage.name}: a part of the batch is taken that depends on its size",
            hint="fix the batch with --input",
        )
    return span


def _slice(
    storage: Storage, tensor: Tensor, spans: Spans, shape: tuple[int, ...], grows: frozenset[int]
) -> Tensor:
    starts = [spans[n].start if n in spans else 0 for n in range(len(shape))]
    sizes = [-1 if n in grows else d for n, d in enumerate(shape)]
    inputs = [tensor, storage.indices(starts, "start"), storage.indices(sizes, "size")]
    return storage.emit("SLICE", [*inputs], Options("SliceOptions"), shape=shape, batched=grows)


def _strided_slice(
    storage: Storage, tensor: Tensor, spans: Spans, shape: tuple[int, ...], grows: frozenset[int]
) -> Tensor:
    """With steps, or beside a batch: XNNPACK takes that whole as a mask, not as a size of -1."""
    rank = len(shape)
    if rank > LARGEST_STRIDED:
        raise UnsupportedError(
            f"{storage.name}: TFLite takes steps in {LARGEST_STRIDED} dimensions at most, not "
            f"{rank}",
            hint="keep --to onnx for this model",
        )
    rows = [spans.get(n, range(0)) for n in range(rank)]
    whole = [n not in spans for n in range(rank)]
    to_start = [row.step < 0 and row.stop < 0 for row in rows]
    to_end = [one or other for one, other in zip(whole, to_start, strict=True)]
    masks = {"beginMask": _mask(whole), "endMask": _mask(to_end)}
    inputs = [
        tensor,
        storage.indices([row.start for row in rows], "start"),
        storage.indices([row.stop for row in rows], "end"),
        storage.indices([row.step for row in rows], "step"),
    ]
    options = Options("StridedSliceOptions", masks)
    return storage.emit("STRIDED_SLICE", [*inputs], options, shape=shape, batched=grows)


def _mask(axes: Iterable[bool]) -> int:
    return sum(1 << n for n, masked in enumerate(axes) if masked)


def _divides(view: View, axis: int, cut: slice) -> bool:
    """Whether a slice is one column of the axis laid out in rows as long as its step."""
    size = view.shape[axis]
    start, _, step = cut.indices(size)
    fits = step > 1 and start < step and size % step == 0
    count = len(range(*cut.indices(size)))
    return (
        fits and count == size // step and axis not in view.batched and view.rank < LARGEST_STRIDED
    )


def _every(storage: Storage, view: View, axis: int, cut: slice) -> View:
    """Every so-manieth element along an axis, as a part of two axes: XNNPACK has no steps."""
    start, _, step = cut.indices(view.shape[axis])
    one, many = (
        (*shape[:axis], shape[axis] // step, step, *shape[axis + 1 :])
        for shape in (view.shape, many_shape(view))
    )
    rows = storage.reshaped(view, one, many)
    part = sliced(storage, rows, {axis + 1: slice(start, start + 1, 1)})
    return part.squeezed({axis + 1})
