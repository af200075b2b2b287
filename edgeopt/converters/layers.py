"""The layers of a float graph by the names that a user gives."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from edgeopt.calibration.points import ELEMENTWISE_OPS, MATRIX_OPS
from edgeopt.core.errors import UsageError
from edgeopt.core.ir import ir

LAYER_OPS = MATRIX_OPS | ELEMENTWISE_OPS | {"Gather", "LSTM", "GRU", "RNN"}
"""Operators that some precision could make integer."""

_SHOWN = 8


def match_layers(graph: ir.Graph, patterns: Sequence[str], option: str) -> frozenset[str]:
    """The nodes that names or glob patterns (``*/attention/*``) mean.

    Args:
        graph: The float graph.
        patterns: As the user gave them.
        option: For messages.

    Raises:
        UsageError: If one matches no layer; suggests names near it.
    """
    names = [node.name or "" for node in graph if node.op_type in LAYER_OPS and not node.domain]
    found: set[str] = set()
    for pattern in patterns:
        matched = [n for n in names if n == pattern] or [
            n for n in names if fnmatchcase(n, pattern)
        ]
        if not matched:
            raise UsageError(
                f"{option}: no layer of the float graph is called {pattern!r}",
                hint=_near(pattern, names),
            )
        found.update(matched)
    return frozenset(found)


def _near(pattern: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(names[:_SHOWN])
    others = " and others" if len(names) > _SHOWN else ""
    return f"it has {shown}{others}; `edgeopt inspect` lists them"
