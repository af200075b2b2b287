"""Pad: with a number, or with what is inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.ops.gathering import picked
from edgeopt.converters.tflite.ops.joining import joined
from edgeopt.converters.tflite.ops.padding import padded
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import places_of, sliced
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

Pads = list[tuple[int, int]]

_FEW = 4
"""Rows that are reflected one by one at most: XNNPACK has no MIRROR_PAD."""

_MODES = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}
"""numpy's names of ONNX's modes."""


@lowers("Pad", since=2)
def pad(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Pad; negative pads cut."""
    view = lowering.view(node.inputs[0])
    mode = node.attributes.get_string("mode", "constant")
    pads = _pads(node, lowering, view)
    if any(pads[n] != (0, 0) for n in view.batched):
        raise lowering.unsupported(node, "it pads the batch", "fix the batch with --input")
    cuts = {
        n: slice(max(-a, 0), size + min(b, 0), 1)
        for n, (size, (a, b)) in enumerate(zip(view.shape, pads, strict=True))
        if a < 0 or b < 0
    }
    view = sliced(lowering, view, cuts) if cuts else view
    pads = [(max(a, 0), max(b, 0)) for a, b in pads]
    if mode == "constant":
        found = _with_number(lowering, view, pads, _fill(node, lowering))
    elif mode == "reflect" and max(map(max, pads)) <= _FEW:
        found = _reflected(lowering, view, pads)
    elif mode == "reflect" and _mirrors(view, pads):
        found = _mirrored(lowering, view, pads)
    elif mode in _MODES:
        found = view
        for axis, amounts in enumerate(pads):
            if amounts != (0, 0):
                places = np.pad(np.arange(view.shape[axis]), amounts, mode=_MODES[mode])  # type: ignore[call-overload]
                found = picked(lowering, found, axis, places)
    else:
        raise lowering.unsupported(node, f"TFLite doesn't pad by {mode!r}")
    lowering.bind(node.outputs[0], found)


def _pads(node: ir.Node, lowering: Lowering, view: View) -> Pads:
    amounts = lowering.setting(node, 1, "pads")
    axes = lowering.constant(node, 3)
    assert amounts is not None
    places = range(view.rank) if axes is None else [int(a) % view.rank for a in axes.reshape(-1)]
    pads = [(0, 0)] * view.rank
    half = len(amounts) // 2
    for n, place in enumerate(places):
        pads[place] = (amounts[n], amounts[half + n])
    return pads


def _fill(node: ir.Node, lowering: Lowering) -> float:
    if lowering.opset < 11:
        return node.attributes.get_float("value", 0.0)
    fill = lowering.constant(node, 2)
    return 0.0 if fill is None or fill.size == 0 else fill.reshape(-1)[0].item()


def _with_number(lowering: Lowering, view: View, pads: Pads, value: float) -> View:
    if not any(a or b for a, b in pads):
        return view
    order = view.storage_order() or tuple(range(view.rank))
    output = padded(lowering, lowering.stored(view, order), [pads[n] for n in order], value)
    return View(output, places_of(order))


def _reflected(lowering: Lowering, view: View, pads: Pads) -> View:
    """Rows from inside joined to the edges."""
    for axis, (before, after) in enumerate(pads):
        places = np.pad(np.arange(view.shape[axis]), (before, after), mode="reflect")
        ends = (places[:before], places[len(places) - after :])
        rows = [
            [sliced(lowering, view, {axis: slice(int(n), int(n) + 1, 1)}) for n in end]
            for end in ends
        ]
        view = joined(lowering, [*rows[0], view, *rows[1]], axis)
    return view


def _mirrors(view: View, pads: Pads) -> bool:
    """Whether MIRROR_PAD does it: it reflects once, in 5 dimensions at most."""
    fits = all(max(p) < size for p, size in zip(pads, view.shape, strict=True) if p != (0, 0))
    return fits and view.rank <= 5


def _mirrored(lowering: Lowering, view: View, pads: Pads) -> View:
    order = view.storage_order() or tuple(range(view.rank))
    tensor = lowering.stored(view, order)
    table = np.array([pads[n] for n in order], np.int32)
    amounts = lowering.constant_tensor(table, "pads")
    shape = tuple(d + int(a) + int(b) for d, (a, b) in zip(tensor.shape, table, strict=True))
    output = lowering.emit(
        "MIRROR_PAD", [tensor, amounts], Options("MirrorPadOptions", {"mode": 0}),
        shape=shape, batched=tensor.batched,
    )  # fmt: skip
    return View(output, places_of(order))
