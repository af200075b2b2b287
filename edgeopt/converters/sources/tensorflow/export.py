"""From a frozen TensorFlow graph to ONNX, operator by operator, by tf2onnx.

tf2onnx maps operators and recognises what they spell together (an LSTM, say); its own optimizers
are left out, since they take most of its time, and what they do is done here in a fraction of it
(docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from edgeopt.converters.sources.tensorflow.framework import tf
from edgeopt.converters.sources.tensorflow.frozen import Frozen
from edgeopt.converters.sources.tensorflow.handlers import HANDLERS
from edgeopt.converters.sources.tensorflow.names import plain_names
from edgeopt.converters.sources.tensorflow.tidying import tidy
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.ir import ir, passes
from edgeopt.core.tensors import TensorSpec

OPSET = 18
"""The newest that tf2onnx writes."""

_NEEDED = ("loop_optimizer", "einsum_optimizer")
"""Optimizers of tf2onnx's without which its loops and products don't load."""


def write_onnx(
    frozen: Frozen,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[str],
    path: Path,
    name: str,
) -> None:
    """Write a frozen graph as an ONNX file.

    Args:
        frozen: The graph.
        inputs: What its inputs are called, and their shapes.
        outputs: What its outputs are called.
        path: Where the file goes.
        name: The model's name, for messages.

    Raises:
        UnsupportedError: If an operator has no ONNX form; names it and its layer.
        ModelError: If tf2onnx fails on the graph.
    """
    model = ir.from_proto(_mapped(frozen, name))
    passes.RemoveUnusedNodesPass()(model)
    _mend(model.graph)
    _check_operators(model.graph, name)
    _name_ends(model.graph, inputs, outputs)
    plain_names(model.graph)
    ir.save(model, path)
    tidy(path, name)


def _mapped(frozen: Frozen, name: str) -> onnx.ModelProto:
    from tf2onnx import optimizer
    from tf2onnx.tfonnx import process_tf_graph

    ends = list(frozen.inputs), list(frozen.outputs)
    try:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen.graph, name="")
            mapped = process_tf_graph(
                graph,
                continue_on_error=True,
                input_names=ends[0],
                output_names=ends[1],
                opset=OPSET,
                custom_op_handlers=dict(HANDLERS),
            )
        known = optimizer._get_optimizers()
        needed = {key: known[key] for key in _NEEDED if key in known}
        model: onnx.ModelProto = optimizer.optimize_graph(mapped, False, needed).make_model(name)
    except Exception as error:
        # It raises whatever its handlers of single operators do.
        raise ModelError(
            f"{name}: tf2onnx can't write it as ONNX: {type(error).__name__}: {error}"[:300],
            hint="run with -v for its own report",
        ) from error
    return model


def _mend(graph: ir.Graph) -> None:
    """Take away what tf2onnx leaves on an Identity that was a list of tensors."""
    for node in graph.all_nodes():
        if node.op_type == "Identity" and len(node.inputs) > 1:
            node.resize_inputs(1)


def _check_operators(graph: ir.Graph, name: str) -> None:
    unknown = [
        node
        for node in graph.all_nodes()
        if node.domain == "" and not onnx.defs.has(node.op_type, max_inclusive_version=OPSET)
    ]
    if not unknown:
        return
    first = unknown[0]
    more = len({node.op_type for node in unknown}) - 1
    others = f", nor have {more} others" if more > 1 else ", nor has another" if more else ""
    raise UnsupportedError(
        f"{name}: TensorFlow's {first.op_type} (in {layer_of(first.name or '')}) has no ONNX form"
        f"{others}",
        hint="replace the layer, or end the model before it",
    )


def layer_of(node: str) -> str:
    """The layer in a node's path: the last part but one, or all of it."""
    parts = node.split("/")
    return "/".join(parts[:-1]) or node


def _name_ends(graph: ir.Graph, inputs: Sequence[TensorSpec], outputs: Sequence[str]) -> None:
    for value, spec in zip(graph.inputs, inputs, strict=True):
        value.name = spec.name
        value.shape = ir.Shape(spec.shape)
    for value, name in zip(graph.outputs, outputs, strict=True):
        value.name = name
    _forget_shapes(graph)


def _forget_shapes(graph: ir.Graph) -> None:
    """Drop the names that tf2onnx gives to sizes it doesn't know: ours follow from the inputs."""
    ends = set(graph.inputs)
    values: list[Any] = [o for node in graph.all_nodes() for o in node.outputs if o not in ends]
    for value in values:
        if value.shape is not None:
            value.shape = ir.Shape([d if isinstance(d, int) else None for d in value.shape])
