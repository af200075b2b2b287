"""What the runtime inserts: conversions and changes of layout in its optimized graphs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from edgeopt.core.ir import ir
from edgeopt.core.onnx_file import remove
from edgeopt.core.runtime import open_session
from edgeopt.pipeline.diagnosis.runtime_records import InsertedOp

WATCHED = (
    "Transpose",
    "Cast",
    "QuantizeLinear",
    "DequantizeLinear",
    "ReorderInput",
    "ReorderOutput",
)
"""Operators that compute nothing: they convert between types or layouts."""


def inserted_ops(float_path: Path, artifact: Path, scratch: Path) -> tuple[InsertedOp, ...]:
    """The operators of :data:`WATCHED` that the artifact has more of than the float graph.

    Both are counted in the graph that the runtime optimizes the file to, on this machine.
    """
    before, after = (_counts(path, scratch) for path in (float_path, artifact))
    return tuple(
        InsertedOp(op=op, float_graph=before[op], artifact=after[op])
        for op in WATCHED
        if after[op] > before[op]
    )


def _counts(path: Path, scratch: Path) -> Counter[str]:
    optimized = scratch / "optimized.onnx"
    open_session(path, optimized=optimized)
    counts = Counter(node.op_type for node in ir.load(optimized).graph.all_nodes())
    remove(optimized)
    return counts
