"""One simplification for every source: constants folded, BatchNorm merged, dead nodes gone.

The simplifier is ONNX Runtime's own, at its basic level: it is in the core already, runs in a tenth
of a second, follows the newest operators, and folds with the kernels that will run the model
(docs/decisions/0004). The optimizers that trade standard operators for others are left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from edgeopt.converters.branches import has_branches, take_branches
from edgeopt.converters.equalize import equalize
from edgeopt.converters.input_scaling import absorb_input_scaling
from edgeopt.converters.letters import small_letters
from edgeopt.converters.pooling import canonical_pooling
from edgeopt.core.errors import ModelError
from edgeopt.core.graph import FloatGraph, graph_digest
from edgeopt.core.ir import ir, passes
from edgeopt.core.onnx_file import remove, save_apart
from edgeopt.core.runtime import open_session
from edgeopt.core.tensors import TensorSpec, check_numbers

_LEFT_OUT = (
    "MatMulAddFusion",  # a Gemm between reshapes hides the matrix product's weights from us
    "TransposeOptimizer",  # layouts are each format's own business
    "ConstantSharing",  # merges unrelated constants under names that mean nothing
)
_FOLDING = "ConstantFolding"
"""Left out where branches are left: see :mod:`edgeopt.converters.branches`."""

_SYMBOL = re.compile(r"s\d+")


def simplify(exported: Path, result: Path, name: str) -> FloatGraph:
    """Simplify an exported model into the float graph that everything starts from.

    Args:
        exported: Float ONNX as the source's exporter wrote it.
        result: Where the float graph goes.
        name: The model's name, for messages.

    Raises:
        ModelError: If the runtime can't load it, or it isn't a model of tensors.
        UnsupportedError: If the runtime lacks an operator.
    """
    undecided, folded = _undecided(exported, name), result.with_name("folded.onnx")
    model = _folded(exported, folded, name, undecided)
    if passes.RemoveUnusedNodesPass()(model).modified:
        # The optimizers count a dead node among a value's consumers, and so didn't merge it.
        save_apart(model, exported)
        model = _folded(exported, folded, name, undecided)
    if _untyped(model.graph):
        passes.ShapeInferencePass()(model)
    canonical_pooling(model.graph)
    small_letters(model.graph)
    absorb_input_scaling(model.graph)
    equalize(model.graph)
    clean(model)
    _name_dimensions(model.graph)
    save_apart(model, result)
    graph = FloatGraph(
        path=result,
        inputs=tuple(tensor_spec(v, name) for v in model.graph.inputs),
        outputs=tuple(tensor_spec(v, name) for v in model.graph.outputs),
        sha256=graph_digest(model),
    )
    remove(folded)
    return graph


def clean(model: ir.Model) -> None:
    """Drop what no runtime reads: traces, paths and documents of the machine that exported it."""
    passes.RemoveUnusedNodesPass()(model)
    passes.RemoveUnusedOpsetsPass()(model)
    passes.ClearMetadataAndDocStringPass()(model)
    passes.NameFixPass()(model)
    model.producer_name, model.producer_version = "edgeopt", ""
    model.doc_string = None
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    model.graph.name = "model"
    for value in (*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
        value.doc_string = None


def tensor_spec(value: ir.Value, name: str) -> TensorSpec:
    """The spec of a graph's input or output.

    Raises:
        ModelError: If it isn't a tensor of numbers with a known rank.
    """
    if value.dtype is None or value.shape is None or value.dtype == ir.DataType.STRING:
        raise ModelError(
            f"{name}: {value.name!r} is not a tensor of numbers with a known number of dimensions",
            hint="export it with shapes",
        )
    dims = tuple(
        d if isinstance(d, int) else str(d.value or f"{value.name}_{i}")
        for i, d in enumerate(value.shape)
    )
    spec = TensorSpec(name=value.name or "", dtype=value.dtype.numpy().name, shape=dims)
    check_numbers(name, spec)
    return spec


def _undecided(exported: Path, name: str) -> bool:
    """Decide what can be decided of a graph's branches; whether some stay."""
    model = ir.load(exported)
    if not has_branches(model.graph):
        return False
    ir.external_data.load_to_model(model)
    take_branches(model, name)
    save_apart(model, exported)
    return has_branches(model.graph)


def _folded(exported: Path, folded: Path, name: str, undecided: bool) -> ir.Model:
    left_out = (*_LEFT_OUT, _FOLDING) if undecided else _LEFT_OUT
    open_session(exported, level="basic", optimized=folded, disabled=left_out, threads=1, name=name)
    return ir.load(folded)


def _untyped(graph: ir.Graph) -> bool:
    # What came out of a folded If carries no types; everywhere else the runtime wrote them.
    values = [value for node in graph for value in node.outputs if value.name]
    return any(v.dtype is None for v in values) or any(v.shape is None for v in graph.outputs)


def _name_dimensions(graph: ir.Graph) -> None:
    # A .pt2 loses its dimensions' names (`s77`); axis 0 of an input is the batch.
    renamed: dict[str, str] = {}
    for value in graph.inputs:
        for axis, dim in enumerate(value.shape or ()):
            symbol = None if isinstance(dim, int) else dim.value
            if symbol and _SYMBOL.fullmatch(symbol) and symbol not in renamed:
                taken = "batch" in renamed.values()
                renamed[symbol] = "batch" if axis == 0 and not taken else f"{value.name}_{axis}"
    values = [*graph.inputs, *(o for node in graph.all_nodes() for o in node.outputs)]
    for value in values:
        if value.shape is not None:
            dims = [d if isinstance(d, int) else renamed.get(d.value or "", d) for d in value.shape]
            value.shape = ir.Shape(dims)
