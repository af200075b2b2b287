"""Precisions that are for matrix products only, and models that have none."""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path

from edgeopt.converters.onnx import int4_weight, int8_dynamic
from edgeopt.core.ir import ir
from edgeopt.core.precision import Format, Precision

_CHECKS = {
    Precision.INT8_DYNAMIC: int8_dynamic.check_products,
    Precision.INT4_WEIGHT: int4_weight.check_products,
}


def check_products(path: Path, wanted: Iterable[tuple[Format, Precision]], kept: Set[str]) -> None:
    """Refuse ONNX artifacts of which nothing could have its precision, before any long step.

    Args:
        path: The float graph.
        wanted: All that is to be made of it.
        kept: Names of nodes that are to stay float.

    Raises:
        GateError: If there is one.
    """
    checks = [_CHECKS[p] for fmt, p in wanted if fmt is Format.ONNX and p in _CHECKS]
    if not checks:
        return
    graph = ir.load(path).graph
    for check in checks:
        check(graph, kept)
