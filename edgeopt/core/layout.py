"""What an artifact's inputs and outputs are like, where a format leaves a choice."""

from __future__ import annotations

from enum import StrEnum


class Layout(StrEnum):
    """The order of axes of image inputs; the value is its name on the command line."""

    NCHW = "nchw"
    NHWC = "nhwc"


class Ends(StrEnum):
    """What an int8 artifact takes and gives; the value is its name on the command line."""

    FLOAT = "float"
    INT8 = "int8"


CHANNELS_LAST = (0, 2, 3, 1)
"""The axes of an image ``(N, C, H, W)`` with channels last."""

CHANNELS_FIRST = (0, 3, 1, 2)
"""The axes of an image ``(N, H, W, C)`` with channels first."""
