"""Embedding tables at 8 bits: the rows that are looked up are what is made float again."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from edgeopt.calibration.encodings import quantize_weight, weight_scales
from edgeopt.converters.editing import add_constant, replace_node
from edgeopt.converters.onnx.weights import constant
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding
from edgeopt.targets import TensorRule

_LEAST = 1 << 14
"""Elements: what is smaller isn't worth the two more operators of a look-up."""

ROWS = TensorRule(dtype="int8", symmetric=True, per_channel=True)
"""A scale for each row: a token's embedding."""


def quantize_tables(graph: ir.Graph, kept: Set[str]) -> tuple[Encoding, ...]:
    """Store the tables of look-ups as int8, with a scale a row.

    Args:
        graph: A float graph; edited.
        kept: Names of the nodes that stay as they are.
    """
    encodings: dict[str, Encoding] = {}
    for node in list(graph):
        table = constant(node.inputs[0]) if node.op_type == "Gather" and not node.domain else None
        if table is None or table.ndim != 2 or table.size < _LEAST or node.name in kept:
            continue
        if node.attributes.get_int("axis", 0) == 0:
            encoding = _look_up(graph, node, table)
            encodings[encoding.tensor] = encoding
    return tuple(encodings.values())


def _look_up(graph: ir.Graph, node: ir.Node, table: np.ndarray) -> Encoding:
    name = node.inputs[0].name or ""  # type: ignore[union-attr]
    scales = weight_scales(table, 0, ROWS)
    integers, encoding = quantize_weight(name, table, 0, scales, ROWS)
    stored = add_constant(graph, f"{name}_quantized", integers)
    steps = add_constant(graph, f"{name}_scale", scales[:, None])
    row = ir.node("Gather", [stored, node.inputs[1]], {"axis": 0}, name=f"{node.name}_integers")
    step = ir.node("Gather", [steps, node.inputs[1]], {"axis": 0}, name=f"{node.name}_scale")
    cast = ir.node("Cast", row.outputs, {"to": ir.DataType.FLOAT}, name=f"{node.name}_cast")
    real = ir.node("Mul", [cast.outputs[0], step.outputs[0]], name=node.name)
    replace_node(graph, node, [row, step, cast, real])
    return encoding
