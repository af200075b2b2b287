"""Convolutions of volumes, such as video, as convolutions of images.

LiteRT's CONV_3D has floats only, and XNNPACK doesn't take it over. The slices that a kernel covers
are put side by side as channels of one image instead, so that one CONV_2D, of any type, does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.ops.padding import Window, padded
from edgeopt.converters.tflite.slices import sliced
from edgeopt.converters.tflite.views import View

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


def stacked(lowering: Lowering, volume: Tensor, window: Window) -> Tensor:
    """The images that a convolution of a volume is one of.

    Args:
        lowering: The walk.
        volume: ``(N, D, H, W, C)``.
        window: How the kernel goes over it: D, H, W.

    Returns:
        ``(N D', H, W, kernel C)``, for every place along D the slices that it covers, in order.
    """
    sizes = volume.shape[1:4]
    depth = window.outputs(sizes)[0]
    before, after = window.needed(sizes)[0]
    if before or after:
        volume = padded(lowering, volume, ((0, 0), (before, after), *[(0, 0)] * 3), 0.0)
    step, span = window.strides[0], (depth - 1) * window.strides[0] + 1
    taps = [
        lowering.plain(sliced(lowering, View.of(volume), {1: slice(n, n + span, step)}))
        for n in range(0, window.reach[0], window.dilations[0])
    ]
    shape = (*taps[0].shape[:4], len(taps) * volume.shape[4])
    whole = taps[0]
    if len(taps) > 1:
        whole = lowering.emit(
            "CONCATENATION", [*taps], Options("ConcatenationOptions", {"axis": 4}),
            shape=shape, batched=volume.batched,
        )  # fmt: skip
    image = (shape[0] * depth, *shape[2:])
    return lowering.reshaped_tensor(whole, image, volume.batched)


def flattened_kernel(lowering: Lowering, weight: View) -> View:
    """A kernel's slices side by side, ``(O, kernel C, h, w)``, of ``(O, C, kernel, h, w)``."""
    outputs, channels, depth, *rest = weight.shape
    shape = (outputs, depth * channels, *rest)
    return lowering.reshaped(weight.permuted((0, 2, 1, 3, 4)), shape, shape)


def across(window: Window) -> Window:
    """What a volume's window is for one of its slices."""
    return Window(
        window.kernel[1:], window.strides[1:], window.dilations[1:], window.before[1:],
        window.after[1:],
    )  # fmt: skip
