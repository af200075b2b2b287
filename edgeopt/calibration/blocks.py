"""Weights of few bits, with a scale for each short run of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.int8]

BLOCK = 32
"""Weights that share a scale."""

_NOTHING = np.float32(1e-30)
"""Weights below it are zeros: their scale would leave float32's normal numbers."""

_SHRINKS = np.linspace(1.1, 0.75, 15, dtype=np.float32)
"""Candidate scales, as shares of the one that just holds the largest weight."""


def nearest_blocks(
    weight: Floats, block: int = BLOCK, bits: int = 4, *, positive: bool = False
) -> tuple[Bytes, Floats]:
    """Round to nearest, at the scale of least squared error.

    The integers go from ``-2^(bits-1)`` to ``2^(bits-1) - 1``. A scale may be negative: the
    integers reach further below zero than above it, and the largest weight gets that side.

    Args:
        weight: ``(K, N)``; blocks run along K, the last one may be shorter.
        block: Weights in a block.
        bits: Of the integers.
        positive: Whether scales must be; then the largest weight may lie on the shorter side.

    Returns:
        The integers, ``(K, N)``, and the scales, ``(ceil(K / block), N)``.
    """
    rows, columns = weight.shape
    padded = np.pad(weight, ((0, -rows % block), (0, 0))).reshape(-1, block, columns)
    half = 1 << (bits - 1)
    largest = np.take_along_axis(padded, np.abs(padded).argmax(1)[:, None], 1)
    base = np.where(np.abs(largest) < _NOTHING, np.float32(1), largest / -half)
    if positive:
        base = np.abs(base)
    best = np.full(base.shape, np.inf, np.float32)
    scales, integers = base, np.zeros_like(padded)
    for shrink in _SHRINKS:
        candidate = base * shrink
        rounded = np.clip(np.rint(padded / candidate), -half, half - 1)
        error = np.square(rounded * candidate - padded).sum(1, keepdims=True)
        better = error < best
        best = np.where(better, error, best)
        scales = np.where(better, candidate, scales)
        integers = np.where(better, rounded, integers)
    whole = integers.reshape(-1, columns)[:rows].astype(np.int8)
    return whole, scales[:, 0].astype(np.float32)


def real_blocks(integers: Bytes, scales: Floats, block: int = BLOCK) -> Floats:
    """What the integers stand for, ``(K, N)``."""
    steps = np.repeat(scales, block, axis=0)[: len(integers)]
    real: Floats = integers.astype(np.float32) * steps
    return real
