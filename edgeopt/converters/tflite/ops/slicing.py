"""Slice and Split: parts of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import MANY, Options
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


LARGEST_STRIDED = 5
"""Dimensions of a STRIDED_SLICE."""


@lowers("Slice")
def slice_(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Slice: SLICE for steps of 1, STRIDED_SLICE for others."""
    view = lowering.view(node.inputs[0])
    starts, ends = lowering.setting(node, 1, "starts"), lowering.setting(node, 2, "ends")
    assert starts is not None
    assert ends is not None
    axes = lowering.setting(node, 3, "axes") or range(len(starts))
    steps = lowering.setting(node, 4, "steps") or [1] * len(starts)
    cuts = {
        axis % view.rank: slice(start, end if end >= -_FAR or step > 0 else None, step)
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True)
    }
    lowering.bind(node.outputs[0], sliced(lowering, view, cuts))


_FAR = 1 << 31
"""Below minus this, an end means "to the beginning", which Python calls None."""


@lowers("Split", since=2)
def split(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Split: a SLICE for each part, which delegates take."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    sizes = lowering.setting(node, 1, "split")
    whole, count = view.shape[axis], len(node.outputs)
    if axis in view.batched:
        raise lowering.unsupported(node, "it splits the batch", "fix the batch with --input")
    if sizes is None:
        each = -(-whole // count)
        sizes = [max(min(each, whole - n * each), 0) for n in range(count)]
    ends = np.cumsum(sizes)
    for output, size, end in zip(node.outputs, sizes, ends, strict=True):
        cut = {axis: slice(int(end - size), int(end), 1)}
        lowering.bind(output, sliced(lowering, view, cut))


def sliced(lowering: Lowering, view: View, cuts: dict[int, slice]) -> View:
    """A part of a value along some of its axes (numpy's rules for slices)."""
    order = view.storage_order() or tuple(range(view.rank))
    innermost = order[-1] if order else -1
    if innermost in cuts and _divides(view, innermost, cuts[innermost]):
        left = {axis: cut for axis, cut in cuts.items() if axis != innermost}
        return sliced(lowering, _every(lowering, view, innermost, cuts[innermost]), left)
    spans = {}
    for axis, cut in cuts.items():
        size = view.shape[axis]
        span = range(*cut.indices(size))
        if span != range(size) or axis in view.batched:
            spans[order.index(axis)] = span
        if axis in view.batched:
            many = range(*cut.indices(size * MANY))
            if many == range(size * MANY):
                del spans[order.index(axis)]
            elif many != span:
                raise UnsupportedError(
                    f"{lowering.name}: a part of the batch is taken that depends on its size",
                    hint="fix the batch with --input",
                )
    if not spans:
        return view
    tensor = lowering.stored(view, order)
    shape = tuple(len(spans[n]) if n in spans else d for n, d in enumerate(tensor.shape))
    grows = tensor.batched - frozenset(spans)
    starts = [spans[n].start if n in spans else 0 for n in range(len(shape))]
    steps = [spans[n].step if n in spans else 1 for n in range(len(shape))]
    if all(step == 1 for step in steps) and (not grows or len(shape) > LARGEST_STRIDED):
        sizes = [-1 if n in grows else d for n, d in enumerate(shape)]
        inputs = [tensor, lowering.indices(starts, "start"), lowering.indices(sizes, "size")]
        output = lowering.emit(
            "SLICE", [*inputs], Options("SliceOptions"), shape=shape, batched=grows
        )
        return View(output, places_of(order))
    # XNNPACK takes the whole of an axis whose size it doesn't know as a mask, not as a size of -1.
    ends = [spans[n].stop if n in spans else 0 for n in range(len(shape))]
    open_begin = sum(1 << n for n in range(len(shape)) if n not in spans)
    open_end = sum(
        1 << n for n in range(len(shape)) if n not in spans or (steps[n] < 0 and ends[n] < 0)
    )
    if len(shape) > LARGEST_STRIDED:
        raise UnsupportedError(
            f"{lowering.name}: TFLite takes steps in {LARGEST_STRIDED} dimensions at most, not "
            f"{len(shape)}",
            hint="keep --to onnx for this model",
        )
    inputs = [
        tensor,
        lowering.indices(starts, "start"),
        lowering.indices(ends, "end"),
        lowering.indices(steps, "step"),
    ]
    options = Options("StridedSliceOptions", {"beginMask": open_begin, "endMask": open_end})
    output = lowering.emit("STRIDED_SLICE", [*inputs], options, shape=shape, batched=grows)
    return View(output, places_of(order))


def _divides(view: View, axis: int, cut: slice) -> bool:
    """Whether a slice is one column of the axis laid out in rows as long as its step."""
    size = view.shape[axis]
    start, _, step = cut.indices(size)
    fits = step > 1 and start < step and size % step == 0
    count = len(range(*cut.indices(size)))
    return (
        fits and count == size // step and axis not in view.batched and view.rank < LARGEST_STRIDED
    )


def _every(lowering: Lowering, view: View, axis: int, cut: slice) -> View:
    """Every so-manieth element along an axis, as a part of two axes: XNNPACK has no steps."""
    start, _, step = cut.indices(view.shape[axis])
    one, many = (
        (*shape[:axis], shape[axis] // step, step, *shape[axis + 1 :])
        for shape in (view.shape, many_shape(view))
    )
    rows = lowering.reshaped(view, one, many)
    part = sliced(lowering, rows, {axis + 1: slice(start, start + 1, 1)})
    return part.squeezed({axis + 1})


def places_of(order: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The axes of a view whose value's axes are stored in an order."""
    return tuple((order.index(n),) for n in range(len(order)))
