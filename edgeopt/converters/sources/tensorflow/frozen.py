"""A TensorFlow graph that needs nothing but its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Frozen:
    """A TensorFlow graph whose variables are constants.

    Args:
        graph: The ``GraphDef``.
        inputs: The graph's name of each input, such as ``image:0``.
        outputs: The same of outputs.
    """

    graph: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
