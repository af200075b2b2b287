"""Who goes when: the order of creation and the order of timed blocks, drawn from a seed.

What is made or run first, or always follows the same neighbour, is favoured; so both orders are
random. A process's seed is text (``"0/3"``: run 0, process 3), which Python hashes the same way in
every version.
"""

from __future__ import annotations

import random
from typing import List, Sequence, Tuple

BLOCK_NS = 10000000
"""The shortest block. Rounds should be short beside the times for which a shared machine is fast or
slow, seconds: then one machine times all of a round."""

BLOCK_CALLS = 4
"""Calls that a block should hold, for a model to get its caches back."""

LONGEST_NS = 25000000
"""What a block isn't stretched beyond for their sake."""

MIN_ROUNDS = 5
"""Blocks that even the slowest model gets."""


def generator(seed: str) -> random.Random:
    """The process's own source of randomness."""
    return random.Random(seed)  # noqa: S311 - an order, not a secret


def creation_order(count: int, rng: random.Random) -> List[int]:
    """A random order in which to create ``count`` sessions."""
    return rng.sample(range(count), count)


def block_order(count: int, rounds: int, rng: random.Random) -> List[int]:
    """Whose turn it is: ``rounds`` times every artifact once, each time in another order."""
    return [artifact for _ in range(rounds) for artifact in rng.sample(range(count), count)]


def block_lengths(call_ns: Sequence[float], duration_ns: float) -> Tuple[int, List[int]]:
    """How many rounds there are, and how many calls each artifact's blocks hold.

    Every artifact gets the same number of blocks, as long as one another in time: where the slowest
    one needs long blocks the others' are as long.

    Args:
        call_ns: What one call of each artifact takes, in ns, as the warm-up found.
        duration_ns: Time to spend in an artifact's timed blocks, all together, in ns.
    """
    slowest = max(call_ns)
    aim = max(float(BLOCK_NS), min(float(LONGEST_NS), BLOCK_CALLS * slowest), slowest)
    rounds = max(MIN_ROUNDS, int(duration_ns / aim))
    block_ns = duration_ns / rounds
    return rounds, [max(1, round(block_ns / max(each, 1.0))) for each in call_ns]
