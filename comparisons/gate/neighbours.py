"""Processes that take the processor away, as the other tenants of a shared machine do.

Each works for a random while and sleeps for another, in turns of arithmetic that stays in the
caches and of copies that sweep them out, for as long as the condition lasts.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

COUNT = 2
SHORTEST, LONGEST = 0.02, 1.0
"""Of a turn and of a pause, in s: each neighbour takes half of a core."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

SWEEP = 32_000_000
"""Bytes that a copy moves."""


@contextmanager
def neighbours(count: int = COUNT) -> Iterator[None]:
    """Have them there while the block runs; on the cores that this process may use."""
    running = [
        subprocess.Popen([sys.executable, __file__, str(number)], env=os.environ | ONE_THREAD)
        for number in range(count)
    ]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def _live(seed: int) -> None:
    rng = random.Random(seed)
    small = np.random.default_rng(seed).random((96, 96), dtype=np.float32)
    large = np.zeros(SWEEP, np.uint8)
    while True:
        until = time.monotonic() + rng.uniform(SHORTEST, LONGEST)
        sweeping = rng.random() < 0.5
        while time.monotonic() < until:
            if sweeping:
                large.copy()
            else:
                small @ small
        time.sleep(rng.uniform(SHORTEST, LONGEST))


if __name__ == "__main__":
    _live(int(sys.argv[1]))
