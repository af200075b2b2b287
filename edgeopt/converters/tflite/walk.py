"""Walking an ONNX graph and saying it in LiteRT's operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeopt.converters.tflite.claims import check_claim
from edgeopt.converters.tflite.functions import body_of
from edgeopt.converters.tflite.known import Known, evaluated
from edgeopt.converters.tflite.lowering import Lowering
from edgeopt.converters.tflite.model import Model
from edgeopt.converters.tflite.registry import entry_of, why_not
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.core.ir import ir

_STANDARD = ("", "ai.onnx")


def lower(model: ir.Model, *, channels_last: bool, name: str) -> Model:
    """Say an ONNX model in LiteRT's operators.

    Args:
        model: Float, or with Q/DQ pairs; edited (nodes that are not needed are removed before).
        channels_last: Whether image inputs (rank 4) have channels last.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If LiteRT can't express a node; names it, and says why and what to do.
        ModelError: If the graph contradicts itself.
    """
    lowering = Lowering(name)
    lowering.add_inputs(model.graph, channels_last=channels_last)
    _walk(model.graph, lowering)
    lowering.add_outputs(model.graph)
    return lowering.model


def lower_node(node: ir.Node, lowering: Lowering) -> None:
    """Lower one node, or compute it ahead where its inputs are known.

    Raises:
        UnsupportedError: If LiteRT can't express it.
    """
    lowering.at = node.name or lowering.at
    if _ahead(node, lowering):
        return
    entry = entry_of(node)
    if entry is not None and lowering.opset >= entry.since:
        entry.lower(node, lowering)
    elif not _expanded(node, lowering):
        raise lowering.unsupported(node, *why_not(node, lowering.opset))
    _check(node, lowering)


def _walk(graph: ir.Graph, lowering: Lowering) -> None:
    """Lower every node of a graph, or of a function's body."""
    before, lowering.opset = lowering.opset, graph.opset_imports.get("", lowering.opset)
    for node in graph:
        lower_node(node, lowering)
    lowering.opset = before


def _expanded(node: ir.Node, lowering: Lowering) -> bool:
    """Lower a node by what ONNX defines it by, if it is defined by other operators."""
    if node.domain not in _STANDARD:
        return False
    body = body_of(node, lowering.opset, [_type(value, lowering) for value in node.inputs])
    if body is None:
        return False
    outer, given = lowering.at, [v for v in node.inputs if v is not None]
    for value, inner in zip(given, body.graph.inputs, strict=True):
        lowering.bound[inner] = lowering.known(value) or lowering.view(value)
    _walk(body.graph, lowering)
    lowering.at = outer
    for value, inner in zip(node.outputs, body.graph.outputs, strict=False):
        if inner in lowering.bound:
            lowering.bound[value] = lowering.bound[inner]
    return True


def _type(
    value: ir.Value | None, lowering: Lowering
) -> tuple[np.dtype[Any], tuple[int | None, ...]] | None:
    if value is None:
        return None
    known = lowering.known(value)
    if known is not None:
        return known.one.dtype, known.one.shape
    view = lowering.view(value)
    sizes = tuple(None if n in view.batched else d for n, d in enumerate(view.shape))
    return view.tensor.dtype, sizes


def _check(node: ir.Node, lowering: Lowering) -> None:
    """Raise if an output that is read wasn't given, or isn't what the model says it is."""
    for place, output in enumerate(node.outputs):
        if not (output.uses() or output.is_graph_output()):
            continue
        if output not in lowering.bound:
            raise lowering.unsupported(node, f"TFLite doesn't give its output {place}")
        check_claim(output, lowering.bound[output], lowering.name)


def _ahead(node: ir.Node, lowering: Lowering) -> bool:
    """Compute a node whose inputs are known; False if they aren't."""
    if node.domain or node.op_type in ("DequantizeLinear", "QuantizeLinear"):
        return False
    if node.op_type in ("If", "Loop", "Scan"):
        return False
    if node.op_type in ("Shape", "Size"):
        return _measured(node, lowering)
    inputs = [None if v is None else lowering.known(v) for v in node.inputs]
    given = [v for v in node.inputs if v is not None]
    if any(k is None for v, k in zip(node.inputs, inputs, strict=True) if v is not None):
        return False
    if not given and node.op_type not in ("Constant", "RandomNormal"):
        return False
    found = evaluated(node, inputs, lowering.name)
    if found is None:
        return False
    lowering.bound.update(zip(node.outputs, found, strict=True))
    return True


def _measured(node: ir.Node, lowering: Lowering) -> bool:
    value = node.inputs[0]
    assert value is not None
    known = lowering.known(value)
    if known is not None:
        one, many = known.one.shape, known.many.shape
    else:
        view = lowering.view(value)
        one, many = view.shape, many_shape(view)
    if node.op_type == "Size":
        pair = Known(np.array(np.prod(one), np.int64), np.array(np.prod(many), np.int64))
    else:
        start = node.attributes.get_int("start", 0)
        end = node.attributes.get_int("end", len(one))
        pair = Known(np.array(one[start:end], np.int64), np.array(many[start:end], np.int64))
    lowering.bound[node.outputs[0]] = pair
    return True
