"""How a long step says how far it is, without knowing who listens.

The library never prints. A step calls ``progress(step, done, total)``; the terminal draws it.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as a step advances.

    Args:
        step: What is being done, for people: ``"observing model"``.
        done: How many of ``total`` are done.
        total: How many there are, or None where that isn't known.
    """

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Take note."""


def silent(step: str, done: int, total: int | None) -> None:
    """Report nothing."""
