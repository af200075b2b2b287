"""What a layer's weights are multiplied with at each place: a convolution as a matrix product."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.core.ir import ir

    Floats = NDArray[np.float32]
    Places = NDArray[np.int64]


def chosen_places(places: Places, most: int, seed: int) -> Places:
    """At most ``most`` of the places; which, the seed alone decides, on every machine."""
    if len(places) <= most:
        return places
    keys = np.random.PCG64(seed).random_raw(len(places))  # numpy keeps this stream as it is
    return places[np.sort(np.argpartition(keys, most)[:most])]


@dataclass(frozen=True)
class Window:
    """What a convolution sees of its input at one place.

    Args:
        kernel: The kernel's size along each axis.
        strides: One an axis.
        dilations: One an axis.
        pads: Before each axis, then after each.
        auto_pad: ONNX's; anything but ``NOTSET`` stands in for ``pads``.
        groups: Of channels.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    auto_pad: str = "NOTSET"
    groups: int = 1

    @staticmethod
    def of(node: ir.Node, kernel: tuple[int, ...]) -> Window:
        """A Conv's."""
        get, ones = node.attributes.get_ints, [1] * len(kernel)
        return Window(
            kernel,
            tuple(get("strides", ones)),
            tuple(get("dilations", ones)),
            tuple(get("pads", [0] * 2 * len(kernel))),
            node.attributes.get_string("auto_pad", "NOTSET"),
            node.attributes.get_int("group", 1),
        )

    def outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The output's size along each axis, for an input's."""
        return tuple(count for count, _ in map(self._axis, range(len(sizes)), sizes))

    def patches(self, images: Floats, places: Places) -> Floats:
        """What the kernel covers at some places.

        Args:
            images: ``(M, C, *sizes)``.
            places: Flat indices into ``(M, *self.outputs(sizes))``, ``(P,)``.

        Returns:
            ``(G, P, K)``; K runs over a group's channels, then the kernel, as
            ``weight.reshape(O, K)`` does. What lies in the padding is zero.
        """
        sizes, channels = images.shape[2:], images.shape[1]
        image, *at = np.unravel_index(places, (len(images), *self.outputs(sizes)))
        flat, inside = image[:, None], np.ones((len(places), 1), bool)
        for axis, size in enumerate(sizes):
            read = self._reads(axis, size, at[axis])
            valid = (read >= 0) & (read < size)
            flat = _crossed(flat * size, np.where(valid, read, 0), np.add)
            inside = _crossed(inside, valid, np.logical_and)
        # Every index is in range; "clip" spares the check.
        values = np.moveaxis(images, 1, 0).reshape(channels, -1).take(flat, 1, mode="clip")
        if not inside.all():
            values *= inside
        grouped = values.reshape(self.groups, channels // self.groups, *flat.shape)
        found: Floats = grouped.transpose(0, 2, 1, 3).reshape(self.groups, len(places), -1)
        return found

    def _reads(self, axis: int, size: int, at: Places) -> Places:
        taps = np.arange(self.kernel[axis]) * self.dilations[axis]
        start: Places = at * self.strides[axis] - self._axis(axis, size)[1]
        return start[:, None] + taps

    def _axis(self, axis: int, size: int) -> tuple[int, int]:
        """The output's size, and the padding before the input."""
        stride, count = self.strides[axis], len(self.kernel)
        reach = self.dilations[axis] * (self.kernel[axis] - 1) + 1
        if self.auto_pad.startswith("SAME"):
            outputs = math.ceil(size / stride)
            both = max((outputs - 1) * stride + reach - size, 0)
            return outputs, both // 2 if self.auto_pad == "SAME_UPPER" else both - both // 2
        before, after = self.pads[axis], self.pads[axis + count]
        if self.auto_pad == "VALID":
            before = after = 0
        return max((size + before + after - reach) // stride + 1, 0), before


def _crossed(one: NDArray, two: NDArray, how: np.ufunc) -> NDArray:  # type: ignore[type-arg]
    """``(P, A)`` with ``(P, B)`` as ``(P, A * B)``."""
    result: NDArray[np.generic] = how(one[:, :, None], two[:, None, :]).reshape(len(one), -1)
    return result
