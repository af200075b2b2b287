"""How engines are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeopt.core.tensors import Sizes

PATIENCE = 900.0
"""Seconds that building one engine may take if nobody says otherwise."""


@dataclass(frozen=True)
class BuildOptions:
    """What the user says about building.

    Args:
        ranges: Sizes of dynamic dimensions, by input: an entry a dimension, None for one that
            wasn't told.
        memory: What building may take, and the engine's scratch memory on the GPU, in bytes.
        timeout: Seconds that building one engine may take.
        timing_cache: A file of timings that TensorRT reads and adds to.
    """

    ranges: Mapping[str, tuple[Sizes | None, ...]] = field(default_factory=dict)
    memory: int | None = None
    timeout: float = PATIENCE
    timing_cache: Path | None = None
