"""From a TensorFlow function to a graph of constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeopt.converters.sources.tensorflow.framework import tf
from edgeopt.converters.sources.tensorflow.frozen import Frozen

_CONTROL = ("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase")
_COMPILED = ("_XlaMustCompile", "_noinline")
"""What marks a function as one to be kept apart: Keras compiles its grouped convolutions so."""


def freeze_function(function: Any, inputs: int) -> Frozen:
    """A concrete function's graph, its variables constants and its functions inlined.

    Args:
        function: The concrete function.
        inputs: How many inputs it has; what it captures comes after them.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    graph = frozen.graph.as_graph_def()
    names = [[tensor.name for tensor in ends] for ends in (frozen.inputs, frozen.outputs)]
    return inlined(Frozen(graph, tuple(names[0][:inputs]), tuple(names[1])))


def inlined(frozen: Frozen) -> Frozen:
    """The same graph with what it calls written out and constants folded, its loops kept."""
    from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
    from tensorflow.python.grappler import tf_optimizer

    for node in _nodes(frozen.graph):
        if node.op in _CONTROL:
            node.attr["_lower_using_switch_merge"].b = False
    config = config_pb2.ConfigProto()
    rewriting = config.graph_options.rewrite_options
    rewriting.optimizers[:] = ["function", "constfold", "dependency"]
    rewriting.min_graph_nodes = -1  # small graphs too
    rewriting.experimental_disable_folding_quantization_emulation = True
    with tf.Graph().as_default():
        meta = tf.compat.v1.train.export_meta_graph(graph_def=unmarked(frozen.graph))
    ends = meta_graph_pb2.CollectionDef()
    ends.node_list.value.extend([*frozen.inputs, *frozen.outputs])
    meta.collection_def["train_op"].CopyFrom(ends)
    return Frozen(tf_optimizer.OptimizeGraph(config, meta), frozen.inputs, frozen.outputs)


def unmarked(graph: Any) -> Any:
    """The graph, with nothing that keeps functions from being inlined."""
    for attributes in _attributes(graph):
        for mark in _COMPILED:
            if mark in attributes:
                del attributes[mark]
    return graph


def _attributes(graph: Any) -> Iterator[Any]:
    for function in graph.library.function:
        yield function.attr
    for node in _nodes(graph):
        yield node.attr


def _nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def
