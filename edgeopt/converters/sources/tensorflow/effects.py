"""What running a TensorFlow graph would do beside computing.

A graph may hold operators that read and write files or call Python. A SavedModel's variables are
restored, and its reference outputs computed, only if nothing on the way there is of that kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edgeopt.core.errors import ModelError, UnsafeFileError

_HARMLESS = frozenset(
    {
        "Placeholder", "VarHandleOp", "ReadVariableOp", "AssignVariableOp", "VarIsInitializedOp",
        "Variable", "VariableV2", "Assign", "IsVariableInitialized", "ResourceGather",
        "ResourceGatherNd", "RestoreV2", "Restore", "RestoreSlice",
        "PartitionedCall", "StatefulPartitionedCall", "If", "While", "Case",
        "Assert", "Print", "PrintV2",
        "RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt",
        "Multinomial", "RandomShuffle", "StatefulStandardNormalV2", "StatefulUniform",
        "StatefulRandomBinomial", "RngSkip", "RngReadAndSkip", "ParameterizedTruncatedNormal",
        "HashTable", "HashTableV2", "MutableHashTableV2", "LookupTableFindV2", "LookupTableFind",
        "TensorArrayV3", "TensorArrayReadV3", "TensorArrayWriteV3", "TensorArrayGatherV3",
        "TensorArrayScatterV3", "TensorArraySizeV3", "StackV2", "StackPushV2", "StackPopV2",
        "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3",
        "Empty", "EmptyTensorList", "DestroyTemporaryVariable", "TemporaryVariable",
    }
)  # fmt: skip
"""Stateful operators that keep to the process."""

_FILES = frozenset({"ReadFile", "MatchingFiles"})
"""What reads files without counting as stateful."""


def check_effects(meta: Any, outputs: Iterable[str], path: Path) -> None:
    """Judge what leads to a signature's outputs, and what restores the variables.

    Args:
        meta: The ``MetaGraphDef``.
        outputs: The graph's names of the signature's outputs.
        path: The folder, for messages.

    Raises:
        UnsafeFileError: If one of them reads or writes files, or runs code.
        ModelError: If an operator isn't known here.
    """
    from tensorflow.python.framework import op_def_registry

    saver = meta.saver_def.restore_op_name
    for node in _leading_to(meta.graph_def, [*outputs, *([saver] if saver else [])]):
        definition = op_def_registry.get(node.op)
        if definition is None:
            if node.op in {f.signature.name for f in meta.graph_def.library.function}:
                continue
            raise ModelError(
                f"{path}: its operator {node.op} ({node.name}) isn't TensorFlow's own",
                hint="import the package that brings it, or end the model before it",
            )
        if node.op in _FILES or (definition.is_stateful and node.op not in _HARMLESS):
            raise UnsafeFileError(
                f"{path}: its operator {node.op} ({node.name}) may read or write files or run "
                "code, and is never run",
                hint="save the model without it",
            )


def _leading_to(graph: Any, ends: Iterable[str]) -> Iterator[Any]:
    """The nodes that these depend on, and all of the functions that those call."""
    nodes = {node.name: node for node in graph.node}
    functions = {function.signature.name: function for function in graph.library.function}
    seen: set[str] = set()
    waiting = [_node(end) for end in ends]
    called: list[str] = []
    while waiting:
        name = waiting.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        yield nodes[name]
        called += _calls(nodes[name], functions)
        waiting += [_node(given) for given in nodes[name].input]
    while called:
        name = called.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            yield node
            called += _calls(node, functions)


def _calls(node: Any, functions: dict[str, Any]) -> list[str]:
    named = [value.func.name for value in node.attr.values() if value.HasField("func")]
    listed = [f.name for value in node.attr.values() for f in value.list.func]
    return [name for name in (*named, *listed, node.op) if name in functions]


def _node(reference: str) -> str:
    return reference.removeprefix("^").partition(":")[0]
