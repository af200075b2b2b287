"""What one ONNX file can hold."""

from __future__ import annotations

from pathlib import Path

from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

LARGEST = 2**31 - 2**20
"""Bytes of weights: protobuf reads no message above 2 GB."""


def check_fits(path: Path, name: str, *, largest: int = LARGEST) -> None:
    """Refuse a float graph whose artifacts would be too large, before any long step.

    Those of int8 would be smaller; on the way to them the whole graph is one message, though.

    Args:
        path: The float graph.
        name: The model's, for messages.
        largest: Bytes of weights that are taken.

    Raises:
        UnsupportedError: If its weights take more.
    """
    weights = ir.load(path).graph.initializers.values()
    size = sum(v.const_value.nbytes for v in weights if v.const_value is not None)
    if size >= largest:
        limit = f"one ONNX file holds {largest / 1e9:.2f}"
        raise UnsupportedError(
            f"{name}: its weights take {size / 1e9:.2f} GB; {limit}",
            hint="convert it --to tflite alone, or split the model",
        )
