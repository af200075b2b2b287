"""Which ONNX operators the compiler has, and where each is lowered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

Lower = Callable[["ir.Node", "Lowering"], None]
"""Says one node in LiteRT's operators and binds its outputs.

Raises:
    UnsupportedError: If LiteRT can't express it.
"""

FAMILIES = (
    "activations",
    "arithmetic",
    "broadcasting",
    "convolution",
    "einsum",
    "functions",
    "gathering",
    "joining",
    "matrices",
    "normalization",
    "pads",
    "pooling",
    "quantization",
    "recurrent",
    "reductions",
    "reshaping",
    "resizing",
    "sampling",
    "scattering",
    "slicing",
    "sorting",
    "transposed",
)
"""The modules of ``ops``."""

_WHY_NOT = {
    "Loop": "TFLite files that we write have no control flow",
    "Scan": "TFLite files that we write have no control flow",
    "If": "TFLite files that we write have no control flow, and its condition isn't known before",
    "NonMaxSuppression": "what it gives has a size that depends on the values",
    "NonZero": "what it gives has a size that depends on the values",
    "Unique": "what it gives has a size that depends on the values",
    "Compress": "what it gives has a size that depends on the values",
}


@dataclass(frozen=True)
class Entry:
    """How an operator is lowered.

    Args:
        lower: Does it.
        since: The first opset whose operator it is.
    """

    lower: Lower
    since: int = 1


_ENTRIES: dict[str, Entry] = {}


def lowers(*names: str, since: int = 1) -> Callable[[Lower], Lower]:
    """Register a function for ONNX operators."""

    def register(function: Lower) -> Lower:
        for name in names:
            assert name not in _ENTRIES, name
            _ENTRIES[name] = Entry(function, since)
        return function

    return register


@cache
def entries() -> dict[str, Entry]:
    """Every operator the compiler has, by name."""
    for family in FAMILIES:
        import_module(f"edgeopt.converters.tflite.ops.{family}")
    return dict(sorted(_ENTRIES.items()))


def entry_of(node: ir.Node) -> Entry | None:
    """How a node is lowered; None if it isn't."""
    return entries().get(node.op_type) if node.domain in ("", "ai.onnx") else None


def why_not(node: ir.Node, opset: int) -> tuple[str, str]:
    """Why an operator isn't there, and what to do."""
    if node.domain not in ("", "ai.onnx"):
        return f"it is of the domain {node.domain!r}, not of ONNX", "export standard ONNX operators"
    entry = entries().get(node.op_type)
    if entry is not None:
        return (
            f"it meant something else before opset {entry.since}; this is opset {opset}",
            "export at opset 18, or convert the model with onnx.version_converter",
        )
    known = _WHY_NOT.get(node.op_type)
    if known is not None:
        return known, "cut the graph before it, and do this step outside of the model"
    return "TFLite has no such operator, and EdgeOpt doesn't compose it", ""
