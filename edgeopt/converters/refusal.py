"""A node that keeps a model from a format, in every format's report alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A node that is in the way.

    Args:
        op: Its ONNX operator; empty for what isn't about a node.
        node: Its name.
        reason: Why.
        hint: What to do.
    """

    op: str
    node: str
    reason: str
    hint: str
