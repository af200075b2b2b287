"""Whether a model grew slower while it was timed, as it does on a device that grows hot."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np

MOST_BLOCKS = 400
"""Blocks that the trend is taken of; more are thinned out evenly, its cost being their square."""


def drift(paired: Sequence[Dict[str, Any]], index: int) -> Dict[str, Any]:
    """How an artifact's latency moved from the first process's first block to the last one's last.

    A block counts by its median call, so that a hiccup doesn't.

    Returns:
        ``ratio``: the median of the last third of the blocks over that of the first third;
        ``trend``: Kendall's tau of the blocks' latencies and their order, from -1 to 1: Kendall, "A
        New Measure of Rank Correlation", Biometrika 30 (1938). Noise has a trend near 0 whatever
        its ratio; a device that throttles has one near 1 until it has slowed down.
    """
    blocks = [
        float(np.median(block["ns"]))
        for answer in paired
        for block in answer["blocks"]
        if block["artifact"] == index
    ]
    third = max(1, len(blocks) // 3)
    first, last = float(np.median(blocks[:third])), float(np.median(blocks[-third:]))
    return {"ratio": last / max(first, 1.0), "trend": kendall(_thinned(blocks))}


def kendall(values: Sequence[float]) -> float:
    """Pairs in rising order minus those in falling order, over all pairs; 0 for fewer than two."""
    array = np.asarray(values, dtype=np.float64)
    count = len(array)
    if count < 2:
        return 0.0
    signs = np.sign(array[None, :] - array[:, None])
    return float(np.triu(signs, 1).sum() / (count * (count - 1) / 2))


def _thinned(values: List[float]) -> List[float]:
    if len(values) <= MOST_BLOCKS:
        return values
    return [values[int(n)] for n in np.linspace(0, len(values) - 1, MOST_BLOCKS)]
