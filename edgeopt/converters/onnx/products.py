"""Precisions that are for matrix products only, and models that have none."""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path

from edgeopt.converters.onnx import int4_weight, int8_dynamic
from edgeopt.converters.onnx.evidence import nothing_integer
from edgeopt.converters.onnx.reasons import reasons_for_float, stayed_float
from edgeopt.core.ir import ir
from edgeopt.core.precision import Format, Precision

_WHY_FLOAT = {
    Precision.INT8_DYNAMIC: int8_dynamic.why_float,
    Precision.INT4_WEIGHT: int4_weight.why_float,
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
    asked = [p for fmt, p in wanted if fmt is Format.ONNX and p in _WHY_FLOAT]
    if not asked:
        return
    graph = ir.load(path).graph
    for precision in asked:
        reasons = reasons_for_float(graph, kept, _WHY_FLOAT[precision])
        if None not in reasons.values():
            raise nothing_integer(precision, stayed_float(reasons))
