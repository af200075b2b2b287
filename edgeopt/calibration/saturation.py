"""Sums of 8-bit products where a kernel adds two of them in 16 bits.

x86 without VNNI multiplies 8-bit activations by 8-bit weights with ``vpmaddubsw``, which adds the
products of two neighbouring places in a saturating int16 before anything wider (Intel's instruction
set reference). An unsigned activation is at most 255, so a pair of weights is safe if those of one
sign add up to at most 128: 255 * 128 = 32,640 fits into 16 bits, 255 * 129 does not. Two of unlike
sign can't saturate: 255 * 127 fits.

Weights come here as rows, ``(K, N)``: the order in which a kernel goes through them, places 2i and
2i + 1 being a pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.int8]

PAIR_LIMIT = 128
"""What two weights of one sign may add up to at most."""


def saturated_sums(activations: NDArray[np.uint8], rows: Bytes) -> NDArray[np.int32]:
    """What those kernels give for a matrix product, bit for bit.

    Args:
        activations: ``(M, K)``, as stored: the zero point's share is taken off later, exactly.
        rows: ``(K, N)``.

    Returns:
        ``(M, N)``.
    """
    pairs = _pairs(rows).astype(np.int32)
    padded = np.pad(activations, ((0, 0), (0, len(activations[0]) % 2)))
    sums = np.zeros((len(activations), rows.shape[1]), np.int32)
    for index, (first, second) in enumerate(pairs):
        both = padded[:, 2 * index : 2 * index + 2].astype(np.int32)
        product = both[:, :1] * first + both[:, 1:] * second
        sums += np.clip(product, -(2**15), 2**15 - 1)
    return sums


def worst_pairs(rows: NDArray[np.integer] | Floats) -> NDArray[np.float64]:
    """For each column, the most that two paired weights of one sign add up to, ``(N,)``."""
    pairs = _pairs(rows).astype(np.float64)
    up, down = np.maximum(pairs, 0).sum(1), np.maximum(-pairs, 0).sum(1)
    worst: NDArray[np.float64] = np.maximum(up, down).max(0, initial=0.0)
    return worst


def pair_floor(rows: Floats, limit: int = PAIR_LIMIT) -> Floats:
    """The least scale of each column with which no pair exceeds the limit by more than rounding.

    Args:
        rows: Real weights, ``(K, N)``.
        limit: What a pair may add up to.

    Returns:
        ``(N,)``.
    """
    floor: Floats = (worst_pairs(rows) / (limit + 0.5)).astype(np.float32)
    return floor


def bounded_pairs(integers: Bytes, rows: Floats, scales: Floats, limit: int = PAIR_LIMIT) -> Bytes:
    """Integers of which no pair exceeds the limit, changed where rounding made one do so.

    Of such a pair the weight that was rounded away from zero the furthest gives way.

    Args:
        integers: ``(K, N)``.
        rows: The real weights they stand for, of the same shape.
        scales: ``(N,)``, or ``(1,)``.
        limit: What a pair may add up to.
    """
    pairs = _pairs(integers).astype(np.int32)
    real = np.abs(_pairs(rows).astype(np.float32) / scales)
    while (over := _same_sign(pairs) & (np.abs(pairs.sum(1)) > limit)).any():
        excess = np.abs(pairs) - real
        second = excess[:, 1] > excess[:, 0]
        for place, chosen in ((0, ~second), (1, second)):
            pairs[:, place] -= np.where(over & chosen, np.sign(pairs[:, place]), 0)
    whole: Bytes = pairs.reshape(-1, integers.shape[1])[: len(integers)].astype(np.int8)
    return whole


def _same_sign(pairs: NDArray[np.int32]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = pairs[:, 0] * pairs[:, 1] > 0
    return same


def _pairs(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """As ``(K / 2, 2, N)``; an odd one is paired with zeros."""
    padded = np.pad(rows, ((0, len(rows) % 2), (0, 0)))
    return padded.reshape(-1, 2, rows.shape[1])
