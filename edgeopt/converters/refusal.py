"""A node that keeps a model from a format, in every format's report alike."""

from __future__ import annotations

from edgeopt.core.record import Record


class Refusal(Record, frozen=True):
    """A node that is in the way.

    Args:
        op: Its ONNX operator; empty where it is about an input, or no node at all.
        node: Its name.
        reason: Why.
        hint: What to do.
    """

    op: str
    node: str
    reason: str
    hint: str
