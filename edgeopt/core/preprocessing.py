"""The preprocessing contract: how a picture becomes what the model takes.

One type, written into the manifest at conversion and used again wherever pictures are read, so
that calibration, evaluation and deployment can't drift apart.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from edgeopt.core.record import Record

Positive = Annotated[int, msgspec.Meta(gt=0)]
Color = Literal["rgb", "bgr", "gray"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]


class Preprocessing(Record, frozen=True):
    """``value = (pixel * scale - mean) / std``, after resizing and cropping.

    Args:
        resize: One number: the shorter side in pixels, the aspect ratio kept; two: height and
            width; None: the picture is taken as it is.
        crop: Side in pixels of the square taken from the middle, after resizing.
        scale: What a pixel in 0..255 is multiplied by first; 1/255 gives 0..1.
        mean: Subtracted, one value for all channels or one a channel, in the order of ``color``.
        std: Divided by, likewise.
        color: The order of the channels that the model was trained with.
        interpolation: Pillow's filter for resizing (antialiased where it shrinks).
    """

    resize: int | tuple[int, int] | None = None
    crop: Positive | None = None
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    color: Color = "rgb"
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        # A ValueError here is reported by msgspec with the file's key path. The sides are checked
        # here because msgspec 0.22 corrupts memory on a union with a tuple of constrained integers.
        sides = self.resize if isinstance(self.resize, tuple) else (self.resize,)
        if any(side is not None and side <= 0 for side in sides):
            raise ValueError("resize must be positive")
        if any(s == 0 for s in self.std):
            raise ValueError("std must not be 0")
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        channels = 1 if self.color == "gray" else 3
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise ValueError(
                    f"{name} has {len(values)} values, but {self.color} has {channels} channels"
                )
