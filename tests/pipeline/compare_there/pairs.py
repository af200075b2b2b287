"""What is compared on the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeopt.benchmarks.gate.verdict import Check, Comparison

if TYPE_CHECKING:
    pass

Make = Callable[..., Path]

THERE: dict[str, Any] = {"target": "arm64@ssh://kitchen", "threads": 1}
FEW: dict[str, Any] = {**THERE, "duration": 0.02, "max_processes": 2}
"""Where it is not about latency."""
QUICK: dict[str, Any] = {**THERE, "duration": 0.05, "max_processes": 5}
SIZE, CLASSES = 64, 10


def check(found: Comparison, name: str) -> Check:
    (one,) = [c for c in found.checks if c.name == name]
    return one
