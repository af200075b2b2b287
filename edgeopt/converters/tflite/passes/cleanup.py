"""Leaving out operators whose results nobody reads."""

from __future__ import annotations

from edgeopt.converters.tflite.model import Model


def drop_unread(model: Model) -> None:
    """Remove operators of which nothing is read; ensures that every one has a reader."""
    wanted = set(model.outputs)
    kept = []
    for op in reversed(model.operators):
        if wanted & set(op.outputs):
            kept.append(op)
            wanted.update(t for t in op.inputs if t is not None)
    model.operators = kept[::-1]
