"""Channels of unlike size made alike, where that is exact.

Integers give all channels of a tensor one scale, so a channel far smaller than the largest is left
with few steps. Where nothing but what commutes with scaling lies between weights and weights, each
channel can be multiplied by a power of two and the next weights divided by it: the float function
is the same bit for bit, and the integers are spread evenly.

Only tensors that are estimated to gain much are touched: rounding moves with every scale, and what
was well balanced would be no better, only other.
"""

from __future__ import annotations

import numpy as np

from edgeopt.converters.equalization.balance import balance
from edgeopt.converters.equalization.channels import FIXED
from edgeopt.converters.equalization.commuting import map_channels
from edgeopt.converters.equalization.scaling import inexact, rescale
from edgeopt.core.ir import ir

LEAST_GAIN_DB = 5.0
"""Nets as they were trained are estimated to gain at most 3.4 dB, and really gain nothing; spoilt
by a factor of two up or down, 6.7 dB or more."""


def equalize(graph: ir.Graph, least_gain_db: float = LEAST_GAIN_DB) -> int:
    """Multiply channels by powers of two so that those of a tensor are of like size.

    Args:
        graph: A float graph, its constants folded; edited.
        least_gain_db: A tensor is left alone if its rounding noise is estimated to fall by less.

    Returns:
        How many channels were scaled; those that are tied count once.
    """
    channels = map_channels(graph)
    if channels.count == 1:
        return 0
    found = balance(channels)
    exponents = np.where(found.gains_db >= least_gain_db, found.exponents, 0)
    exponents[FIXED] = 0
    if not exponents.any():
        return 0
    # A tensor is scaled whole or not at all.
    while (lost := inexact(channels, exponents)).any():
        exponents[np.isin(found.tensors, found.tensors[lost & (exponents != 0)])] = 0
    rescale(channels, exponents)
    return int(np.count_nonzero(exponents))
