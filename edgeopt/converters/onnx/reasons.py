"""Why nodes with weights stay float, for precisions that go through a graph node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from edgeopt.converters.onnx.placement import KEPT_FLOAT
from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer

Why = Callable[[ir.Node], str | None]
"""None for a node that doesn't stay float, a reason for one that does, "" for one of no interest"""


def reasons_for_float(graph: ir.Graph, kept: Set[str], why: Why) -> dict[ir.Node, str | None]:
    """A precision's answer for every node; those named in ``kept`` stay float as asked."""
    return {node: KEPT_FLOAT if node.name in kept else why(node) for node in graph}


def stayed_float(reasons: Mapping[ir.Node, str | None]) -> list[FloatLayer]:
    """Those with a reason."""
    return [
        FloatLayer(node=node.name or "", op=node.op_type, reason=why)
        for node, why in reasons.items()
        if why
    ]
