"""Where a label's score stands among a sample's, and which output holds the scores."""

from __future__ import annotations

from typing import Dict, List

import numpy as np


def scores_of(outputs: Dict[str, np.ndarray]) -> List[str]:
    """The outputs that look like class scores: of shape ``(N, C)`` with C of 2 or more."""
    return [n for n, a in outputs.items() if a.ndim == 2 and a.shape[1] >= 2]


def rank(scores: np.ndarray, index: int) -> int:
    """How many of ``scores``, ``(C,)``, are ahead of that at ``index``.

    Of equal scores (common in integer models) the lower class index ranks first, as with
    ``numpy.argmax``; a score that is NaN ranks above all others, so it is never a hit.
    """
    mine = scores[index]
    equal = scores == mine
    ahead = ~((scores < mine) | equal)
    return int(np.count_nonzero(ahead) + np.count_nonzero(equal[:index]))
