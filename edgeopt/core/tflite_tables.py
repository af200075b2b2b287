"""Tables of look-ups in a TFLite file: rows of integers, and a scale for each beside them.

A GATHER gives integers by the scale of its table, one for all rows. So ours have the scales in a
tensor of its own: the row and its scale are looked up, and multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeopt.core.tflite_graph import StoredOperator


def look_ups(operators: Sequence[StoredOperator]) -> Iterator[tuple[int, int]]:
    """The tensors of each such table: the rows', and the scales'.

    Args:
        operators: The file's.
    """
    writers = {tensor: op for op in operators for tensor in op.outputs}
    for op in operators:
        if op.code != "MUL":
            continue
        for real, scale in (op.inputs, op.inputs[::-1]):
            cast, step = writers.get(real), writers.get(scale)
            row = writers.get(cast.inputs[0]) if cast is not None and cast.code == "CAST" else None
            if row is not None and step is not None and row.code == step.code == "GATHER":
                yield row.inputs[0], step.inputs[0]
