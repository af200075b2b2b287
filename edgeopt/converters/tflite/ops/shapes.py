"""Operators that move elements without computing: reshape, transpose, slice, join, pad, gather."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.lowering import many_shape
from edgeopt.converters.tflite.model import MANY, Options
from edgeopt.converters.tflite.ops.padding import padded
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Reshape", since=5)
def reshape(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Reshape: mostly another view of the same tensor."""
    view = lowering.view(node.inputs[0])
    known = lowering.known(node.inputs[1])
    if known is None:
        raise lowering.unsupported(node, "its shape is computed when the model runs")
    zero = not node.attributes.get_int("allowzero", 0)
    shape = _target(known.one.tolist(), view.shape, zero=zero)
    many = _target(known.many.tolist(), many_shape(view), zero=zero)
    lowering.bind(node.outputs[0], lowering.reshaped(view, shape, many))


@lowers("Flatten")
def flatten(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Flatten."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 1)
    axis = axis + view.rank if axis < 0 else axis
    one, many = (
        (int(np.prod(sizes[:axis])), int(np.prod(sizes[axis:])))
        for sizes in (view.shape, many_shape(view))
    )
    lowering.bind(node.outputs[0], lowering.reshaped(view, one, many))


@lowers("Transpose")
def transpose(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Transpose: another view."""
    view = lowering.view(node.inputs[0])
    order = node.attributes.get_ints("perm", list(reversed(range(view.rank))))
    lowering.bind(node.outputs[0], view.permuted(tuple(order)))


@lowers("Squeeze", since=13)
def squeeze(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Squeeze."""
    view = lowering.view(node.inputs[0])
    axes = lowering.constant(node, 1)
    places = (
        {n for n, size in enumerate(view.shape) if size == 1 and n not in view.batched}
        if axes is None
        else {int(a) % view.rank for a in axes.reshape(-1)}
    )
    lowering.bind(node.outputs[0], view.squeezed(places))


@lowers("Unsqueeze", since=13)
def unsqueeze(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Unsqueeze."""
    view = lowering.view(node.inputs[0])
    axes = lowering.constant(node, 1)
    assert axes is not None
    rank = view.rank + axes.size
    lowering.bind(node.outputs[0], view.expanded([int(a) % rank for a in axes.reshape(-1)]))


@lowers("Concat")
def concat(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Concat, in the order in which its largest operand is stored."""
    views = [lowering.view(value) for value in node.inputs]
    axis = node.attributes.get_int("axis") % views[0].rank
    largest = max(views, key=lambda v: (not v.tensor.constant, np.prod(v.shape)))
    order = largest.storage_order() or tuple(range(largest.rank))
    tensors = [lowering.stored(view, order) for view in views]
    place = order.index(axis)
    shape = list(tensors[0].shape)
    shape[place] = sum(t.shape[place] for t in tensors)
    output = lowering.emit(
        "CONCATENATION", [*tensors], Options("ConcatenationOptions", {"axis": place}),
        shape=tuple(shape), batched=tensors[0].batched,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View(output, _places(order)))


@lowers("Slice", since=10)
def slice_(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Slice: SLICE for steps of 1, STRIDED_SLICE for others."""
    view = lowering.view(node.inputs[0])
    starts, ends = lowering.constant(node, 1), lowering.constant(node, 2)
    axes, steps = lowering.constant(node, 3), lowering.constant(node, 4)
    assert starts is not None
    assert ends is not None
    count = starts.size
    places = range(count) if axes is None else [int(a) % view.rank for a in axes.reshape(-1)]
    strides = [1] * count if steps is None else [int(s) for s in steps.reshape(-1)]
    cuts = {
        place: slice(int(start), int(end), step)
        for place, start, end, step in zip(
            places, starts.reshape(-1), ends.reshape(-1), strides, strict=True
        )
    }
    lowering.bind(node.outputs[0], sliced(lowering, view, cuts))


@lowers("Split", since=2)
def split(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Split: a SLICE for each part, which delegates take."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    sizes = lowering.constant(node, 1)
    whole, count = view.shape[axis], len(node.outputs)
    if sizes is None and "split" in node.attributes:
        sizes = np.array(node.attributes.get_ints("split"))
    if sizes is None:
        each = -(-whole // count)
        sizes = np.array([min(each, whole - n * each) for n in range(count)])
    ends = np.cumsum(sizes)
    for output, size, end in zip(node.outputs, sizes, ends, strict=True):
        cut = {axis: slice(int(end - size), int(end), 1)}
        lowering.bind(output, sliced(lowering, view, cut))


@lowers("Pad", since=2)
def pad(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Pad with a constant, or by mirroring."""
    view = lowering.view(node.inputs[0])
    mode = node.attributes.get_string("mode", "constant")
    amounts = lowering.constant(node, 1)
    fill = lowering.constant(node, 2)
    axes = lowering.constant(node, 3)
    assert amounts is not None
    places = range(view.rank) if axes is None else [int(a) % view.rank for a in axes]
    pads = [(0, 0)] * view.rank
    half = len(amounts) // 2
    for n, place in enumerate(places):
        pads[place] = (int(amounts[n]), int(amounts[half + n]))
    cuts = {
        n: slice(max(-a, 0), size + min(b, 0), 1)
        for n, (size, (a, b)) in enumerate(zip(view.shape, pads, strict=True))
        if a < 0 or b < 0
    }
    view = sliced(lowering, view, cuts) if cuts else view
    pads = [(max(a, 0), max(b, 0)) for a, b in pads]
    if mode == "constant":
        order = view.storage_order() or tuple(range(view.rank))
        tensor = lowering.stored(view, order)
        value = 0.0 if fill is None or fill.size == 0 else float(fill.reshape(-1)[0])
        output = padded(lowering, tensor, [pads[n] for n in order], value)
        lowering.bind(node.outputs[0], View(output, _places(order)))
    elif mode == "reflect":
        lowering.bind(node.outputs[0], _mirrored(lowering, view, pads))
    else:
        raise lowering.unsupported(node, f"TFLite doesn't pad by {mode!r}")


@lowers("Gather")
def gather(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Gather; one element of an axis is a SLICE."""
    view = lowering.view(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % view.rank
    known = lowering.known(node.inputs[1])
    if known is not None and known.fixed and known.one.size == 1:
        at = int(known.one.reshape(-1)[0]) % view.shape[axis]
        one = sliced(lowering, view, {axis: slice(at, at + 1, 1)})
        lowering.bind(node.outputs[0], one.squeezed({axis}) if known.one.ndim == 0 else one)
        return
    tensor = lowering.plain(view)
    if known is not None:
        assert known.fixed
        wrapped = np.where(known.one < 0, known.one + view.shape[axis], known.one).astype(np.int32)
        places = lowering.constant_tensor(wrapped, f"{node.name}/indices")
        grows: frozenset[int] = frozenset()
    else:
        places = lowering.plain(lowering.view(node.inputs[1]))
        grows = frozenset(axis + n for n in places.batched)
    shape = (*tensor.shape[:axis], *places.shape, *tensor.shape[axis + 1 :])
    shift = len(places.shape) - 1
    grows |= frozenset(n if n < axis else n + shift for n in tensor.batched if n != axis)
    output = lowering.emit(
        "GATHER", [tensor, places], Options("GatherOptions", {"axis": axis, "batchDims": 0}),
        shape=shape, batched=grows,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View.of(output))


@lowers("Expand", since=8)
def expand(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Expand: BROADCAST_TO, or nothing where nothing grows."""
    view = lowering.view(node.inputs[0])
    known = lowering.known(node.inputs[1])
    if known is None:
        raise lowering.unsupported(node, "its shape is computed when the model runs")
    wide = view.expanded(list(range(max(known.one.size - view.rank, 0))))
    one = np.broadcast_shapes(wide.shape, tuple(int(d) for d in known.one))
    many = np.broadcast_shapes(many_shape(wide), tuple(int(d) for d in known.many))
    if one == wide.shape and many == many_shape(wide):
        lowering.bind(node.outputs[0], wide)
        return
    if any(a != b for a, b in zip(one, many, strict=True)):
        raise lowering.unsupported(
            node, "it repeats a value once for each entry of the batch",
            "fix the batch with --input",
        )  # fmt: skip
    tensor = lowering.plain(wide)
    output = lowering.emit(
        "BROADCAST_TO", [tensor, lowering.indices(one, "shape")], Options("BroadcastToOptions"),
        shape=one,
    )  # fmt: skip
    lowering.bind(node.outputs[0], View.of(output))


def sliced(lowering: Lowering, view: View, cuts: dict[int, slice]) -> View:
    """A part of a value along some of its axes (numpy's rules for slices)."""
    order = view.storage_order() or tuple(range(view.rank))
    tensor = lowering.stored(view, order)
    spans = {order.index(axis): range(*cut.indices(view.shape[axis])) for axis, cut in cuts.items()}
    spans = {n: span for n, span in spans.items() if span != range(tensor.shape[n])}
    if not spans:
        return view
    shape = tuple(len(spans[n]) if n in spans else d for n, d in enumerate(tensor.shape))
    grows = tensor.batched - frozenset(spans)
    starts = [spans[n].start if n in spans else 0 for n in range(len(shape))]
    if all(span.step == 1 for span in spans.values()):
        sizes = [-1 if n in grows else d for n, d in enumerate(shape)]
        inputs = [tensor, lowering.indices(starts, "start"), lowering.indices(sizes, "size")]
        output = lowering.emit(
            "SLICE", [*inputs], Options("SliceOptions"), shape=shape, batched=grows
        )
        return View(output, _places(order))
    steps = [spans[n].step if n in spans else 1 for n in range(len(shape))]
    ends = [spans[n].stop if n in spans else 0 for n in range(len(shape))]
    open_begin = sum(1 << n for n in range(len(shape)) if n not in spans)
    open_end = sum(
        1 << n for n in range(len(shape)) if n not in spans or (steps[n] < 0 and ends[n] < 0)
    )
    inputs = [
        tensor,
        lowering.indices(starts, "start"),
        lowering.indices(ends, "end"),
        lowering.indices(steps, "step"),
    ]
    options = Options("StridedSliceOptions", {"beginMask": open_begin, "endMask": open_end})
    output = lowering.emit("STRIDED_SLICE", [*inputs], options, shape=shape, batched=grows)
    return View(output, _places(order))


def _mirrored(lowering: Lowering, view: View, pads: list[tuple[int, int]]) -> View:
    order = view.storage_order() or tuple(range(view.rank))
    tensor = lowering.stored(view, order)
    table = np.array([pads[n] for n in order], np.int32)
    amounts = lowering.constant_tensor(table, "pads")
    shape = tuple(d + int(a) + int(b) for d, (a, b) in zip(tensor.shape, table, strict=True))
    output = lowering.emit(
        "MIRROR_PAD", [tensor, amounts], Options("MirrorPadOptions", {"mode": 0}),
        shape=shape, batched=tensor.batched,
    )  # fmt: skip
    return View(output, _places(order))


def _places(order: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple((order.index(n),) for n in range(len(order)))


def _target(wanted: list[int], have: tuple[int, ...], *, zero: bool) -> tuple[int, ...]:
    """A Reshape's shape with its 0 and -1 resolved."""
    found = [have[n] if d == 0 and zero else int(d) for n, d in enumerate(wanted)]
    if -1 in found:
        rest = int(np.prod([d for d in found if d != -1]))
        found[found.index(-1)] = int(np.prod(have)) // rest if rest else 0
    # A batch that the exporter wrote as 1 into a constant shape.
    if int(np.prod(found)) * MANY == int(np.prod(have)) and found and found[0] == 1:
        found[0] = MANY
    return tuple(found)
