"""GridSample: an image read at places that the model computes.

LiteRT has no such operator. What it is made of: the places in pixels, kept inside of the image; the
pixels around them, by GATHER from the flattened image; and their mean, weighted by distance. Where
zeros are outside, the image has a border of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import cast, combined, mapped, with_number
from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.padding import padded
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.slices import sliced
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_LINEAR = ("bilinear", "linear")  # until opset 19, and since


@dataclass(frozen=True)
class _Line:
    """One axis of the image.

    Args:
        size: In pixels, the border left out.
        border: Zeros on either side: 0 or 1.
        corners: Whether -1 and 1 are the middles of the outermost pixels, not their edges.
    """

    size: int
    border: int
    corners: bool

    @property
    def last(self) -> int:
        """The last pixel, the border included."""
        return self.size - 1 + 2 * self.border

    def places(self, lowering: Lowering, grid: View) -> View:
        """From -1..1 to pixels, the border left out, in ONNX's order, so that ties are ties."""
        found = with_number(lowering, "ADD", grid, 1)
        if self.corners:
            return with_number(lowering, "MUL", found, (self.size - 1) / 2)
        found = with_number(lowering, "MUL", found, self.size)
        return with_number(lowering, "MUL", with_number(lowering, "SUB", found, 1), 0.5)

    def inside(self, lowering: Lowering, places: View) -> View:
        """Places with the border before them; those outside are put on the edge."""
        found = with_number(lowering, "ADD", places, 1) if self.border else places
        found = with_number(lowering, "MAXIMUM", found, 0)
        return with_number(lowering, "MINIMUM", found, self.last)


@lowers("GridSample", since=16)
def grid_sample(node: ir.Node, lowering: Lowering) -> None:
    """Lower a GridSample of images, bilinear or to the nearest pixel."""
    image, grid = (lowering.view(value) for value in node.inputs)
    mode = node.attributes.get_string("mode", "linear")
    outside = node.attributes.get_string("padding_mode", "zeros")
    if image.rank != 4:
        raise lowering.unsupported(node, "it samples volumes; images alone are composed")
    if mode not in (*_LINEAR, "nearest"):
        raise lowering.unsupported(node, f"its mode {mode!r} isn't composed", _hint("mode"))
    if outside not in ("zeros", "border"):
        raise lowering.unsupported(
            node, f"its padding_mode {outside!r} isn't composed", _hint("padding_mode")
        )
    if image.batched != grid.batched:
        raise lowering.unsupported(
            node, "its image or its grid alone grows with the batch", "fix the batch with --input"
        )
    border = int(outside == "zeros")
    corners = bool(node.attributes.get_int("align_corners", 0))
    rows, columns = (_Line(size, border, corners) for size in image.shape[2:])
    count = grid.shape[1] * grid.shape[2]
    many = many_shape(grid)[0]
    x, y = (
        lowering.reshaped(
            sliced(lowering, grid, {3: slice(n, n + 1)}),
            (grid.shape[0], count, 1),
            (many, count, 1),
        )
        for n in (0, 1)
    )
    pixels = _flat(lowering, image, border)
    x, y = columns.places(lowering, x), rows.places(lowering, y)
    if mode == "nearest":
        # Before the border counts: half a pixel goes to the even one.
        x, y = (mapped(lowering, "ROUND", places) for places in (x, y))
    x, y = columns.inside(lowering, x), rows.inside(lowering, y)
    if mode == "nearest":
        found = _picked(lowering, pixels, _number(lowering, x, y, columns.last + 1), 0)
    else:
        found = _between(lowering, pixels, (x, columns), (y, rows))
    shapes = [(n, *grid.shape[1:3], image.shape[1]) for n in (grid.shape[0], many)]
    lowering.bind(node.outputs[0], lowering.reshaped(found, *shapes).permuted((0, 3, 1, 2)))


def _hint(attribute: str) -> str:
    known = "'bilinear' or 'nearest'" if attribute == "mode" else "'zeros' or 'border'"
    return f"grid_sample with {attribute}={known} is; or keep --to onnx for this model"


def _flat(lowering: Lowering, image: View, border: int) -> Tensor:
    """The image with its border, ``(N, pixels, C)``."""
    tensor = lowering.channels_last(image)
    if border:
        tensor = padded(lowering, tensor, ((0, 0), (1, 1), (1, 1), (0, 0)), 0.0)
    count, height, width, channels = tensor.shape
    shape = (count, height * width, channels)
    return lowering.reshaped_tensor(tensor, shape, tensor.batched)


def _between(
    lowering: Lowering, pixels: Tensor, across: tuple[View, _Line], down: tuple[View, _Line]
) -> View:
    """The mean of the four pixels around each place."""
    (left, right), (top, low) = _split(lowering, *across), _split(lowering, *down)
    width = across[1].last + 1
    first = _number(lowering, left, top, width)
    # An axis of one pixel has no second one; its share is 0.
    step, line = min(across[1].last, 1), width * min(down[1].last, 1)
    above, below = (
        _mixed(
            lowering,
            _picked(lowering, pixels, first, start),
            _picked(lowering, pixels, first, start + step),
            right,
        )
        for start in (0, line)
    )
    return _mixed(lowering, above, below, low)


def _split(lowering: Lowering, places: View, line: _Line) -> tuple[View, View]:
    """The pixel before each place, and the share of the one behind it."""
    before = mapped(lowering, "FLOOR", places)
    before = with_number(lowering, "MINIMUM", before, max(line.last - 1, 0))
    return before, combined(lowering, "SUB", [places, before])


def _mixed(lowering: Lowering, one: View, other: View, share: View) -> View:
    step = combined(lowering, "MUL", [combined(lowering, "SUB", [other, one]), share])
    return combined(lowering, "ADD", [one, step])


def _number(lowering: Lowering, x: View, y: View, width: int) -> View:
    """A pixel's number in the flattened image, ``(N, places)``; whole numbers stay exact."""
    x, y = (cast(lowering, places, np.int32) for places in (x, y))
    found = combined(lowering, "ADD", [with_number(lowering, "MUL", y, width), x])
    return found.squeezed({2})


def _picked(lowering: Lowering, pixels: Tensor, first: View, shift: int) -> View:
    """Pixels by their number, ``(N, places, C)``."""
    places = with_number(lowering, "ADD", first, shift) if shift else first
    numbers = lowering.plain(places)
    found = lowering.emit(
        "GATHER", [pixels, numbers], Options("GatherOptions", {"axis": 1, "batchDims": 1}),
        shape=(*numbers.shape, pixels.shape[-1]), batched=pixels.batched,
    )  # fmt: skip
    return View.of(found)
