"""ONNX's explicit pads in LiteRT's two words, SAME and VALID, and a PAD where neither fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

SAME, VALID = 0, 1


@dataclass(frozen=True)
class Window:
    """How a kernel goes over an image.

    Args:
        kernel: Its size, one an axis.
        strides: One an axis.
        dilations: One an axis.
        before: Pads before each axis.
        after: Behind each axis.
        ceil: Whether a last place that is only partly inside counts.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    ceil: bool = False

    @staticmethod
    def of(node: ir.Node, kernel: Sequence[int], sizes: Sequence[int]) -> Window:
        """A node's, ``auto_pad`` resolved for an image of these sizes."""
        count = len(kernel)
        get = node.attributes.get_ints
        strides = tuple(get("strides", [1] * count))
        dilations = tuple(get("dilations", [1] * count))
        pads = tuple(get("pads", [0] * 2 * count))
        auto = node.attributes.get_string("auto_pad", "NOTSET")
        before, after = pads[:count], pads[count:]
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            window = Window(tuple(kernel), strides, dilations, before, after)
            totals = window.same(sizes)
            small = tuple(t // 2 for t in totals)
            large = tuple(t - t // 2 for t in totals)
            before, after = (small, large) if auto == "SAME_UPPER" else (large, small)
        elif auto == "VALID":
            before = after = (0,) * count
        ceil = bool(node.attributes.get_int("ceil_mode", 0))
        return Window(tuple(kernel), strides, dilations, before, after, ceil)

    def in_rows(self) -> Window:
        """A line's window over an image of one row."""
        return Window(
            (1, *self.kernel), (1, *self.strides), (1, *self.dilations), (0, *self.before),
            (0, *self.after), self.ceil,
        )  # fmt: skip

    def counts(self, sizes: Sequence[int], *, with_pads: bool) -> np.ndarray:
        """How many pixels each place of the window sees, ``(outputs...)``.

        Args:
            sizes: The image's.
            with_pads: Whether pads count; what lies beyond them never does.
        """
        found = np.ones((), np.int64)
        for n, (size, places) in enumerate(zip(sizes, self.outputs(sizes), strict=True)):
            start = np.arange(places) * self.strides[n] - self.before[n]
            low, high = (-self.before[n], size + self.after[n]) if with_pads else (0, size)
            seen = np.minimum(start + self.reach[n], high) - np.maximum(start, low)
            found = found[..., None] * seen
        return found

    @property
    def reach(self) -> tuple[int, ...]:
        """From the first to the last pixel that the kernel looks at, one an axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    def outputs(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """The size of what comes out (ONNX's Conv and pools, "output shape")."""
        found = []
        for n, size in enumerate(sizes):
            room = size + self.before[n] + self.after[n] - self.reach[n]
            places = (-(-room // self.strides[n]) if self.ceil else room // self.strides[n]) + 1
            if self.ceil and (places - 1) * self.strides[n] >= size + self.before[n]:
                places -= 1  # a window that starts in the padding behind doesn't count
            found.append(places)
        return tuple(found)

    def same(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """What SAME pads in all, one an axis."""
        return tuple(
            max((-(-size // stride) - 1) * stride + reach - size, 0)
            for size, stride, reach in zip(sizes, self.strides, self.reach, strict=True)
        )

    def is_same(self, sizes: Sequence[int]) -> bool:
        """Whether SAME means these pads."""
        totals = self.same(sizes)
        placed = all(t // 2 == b for t, b in zip(totals, self.before, strict=True))
        expected = tuple(-(-size // s) for size, s in zip(sizes, self.strides, strict=True))
        return placed and self.outputs(sizes) == expected

    def needed(self, sizes: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """The pads before and behind each axis of which something is read."""
        found = []
        for n, (size, places) in enumerate(zip(sizes, self.outputs(sizes), strict=True)):
            last = (places - 1) * self.strides[n] + self.reach[n]
            found.append((self.before[n], max(last - size - self.before[n], 0)))
        return tuple(found)


def fitted(
    lowering: Lowering, image: Tensor, window: Window, fill: float = 0.0
) -> tuple[Tensor, int]:
    """An image (channels last) and the word for its padding, padded first where no word fits.

    Args:
        lowering: The walk.
        image: ``(N, pixels..., C)``.
        window: What goes over it.
        fill: What pads.
    """
    sizes = image.shape[1:-1]
    pads = window.needed(sizes)
    if not any(a or b for a, b in pads):
        return image, VALID
    if window.is_same(sizes):
        return image, SAME
    return padded(lowering, image, ((0, 0), *pads, (0, 0)), fill), VALID


def padded(
    lowering: Lowering, tensor: Tensor, pads: Sequence[tuple[int, int]], fill: float
) -> Tensor:
    """A tensor with constant pads before and behind each of its stored axes."""
    table = np.array(pads, np.int32)
    amounts = lowering.indices(table.reshape(-1).tolist(), "pads")
    amounts.data, amounts.shape = table, table.shape
    shape = tuple(d + a + b for d, (a, b) in zip(tensor.shape, pads, strict=True))
    inputs: list[Tensor | None] = [tensor, amounts]
    code = "PAD"
    if fill != 0:
        code = "PADV2"
        inputs.append(lowering.constant_tensor(np.array(fill, tensor.dtype), f"fill_{fill}"))
    return lowering.emit(
        code, inputs, Options(f"{'Pad' if code == 'PAD' else 'PadV2'}Options"),
        shape=shape, batched=tensor.batched, name=f"{tensor.name}_padded",
    )  # fmt: skip
