"""What ``--precision auto`` adds to a conversion: which layers the artifact keeps float."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeopt.converters.onnx.placement import ANCHORS
from edgeopt.converters.writer import Kept, Writer, WriteRequest
from edgeopt.core.effort import Effort
from edgeopt.core.errors import DataError, UsageError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.ir import ir
from edgeopt.core.progress import Progress
from edgeopt.core.record import from_json
from edgeopt.pipeline.search.budget import AutoOptions
from edgeopt.pipeline.search.judge import Judge
from edgeopt.pipeline.search.record import SearchRecord
from edgeopt.pipeline.search.search import Search


def keep_within_budget(
    request: WriteRequest, write: Writer, judge: Judge, options: AutoOptions, progress: Progress
) -> SearchRecord:
    """Search for the layers to keep float.

    Args:
        request: What the artifact is made from; those that are tried are written to its scratch
            folder, with corrections that need no samples.
        write: Makes one.
        judge: Finds its quality.
        options: The user's.
        progress: Told how far it is.

    Raises:
        GateError: If no artifact with an integer layer meets the budget.
        UsageError: If no budget was given, or what is to be replayed is another model's search.
    """
    if options.budget.max_drop is not None and not judge.labelled:
        raise DataError(
            "--max-drop needs labels to know what accuracy is",
            hint="add labels to --evaluation, or use --min-agreement or --min-sqnr",
        )
    effort = request.effort if request.effort is Effort.FAST else Effort.DEFAULT
    made = iter(range(1_000_000))

    def make(kept: tuple[str, ...]) -> Path:
        path = request.scratch / f"tried_{next(made)}.onnx"
        floating = request.kept.floating | set(kept)
        tried = replace(
            request,
            path=path,
            effort=effort,
            samples=tuple,
            kept=Kept(floating, request.kept.wide),
        )
        write(tried)
        return path

    return Search(
        budget=options.budget,
        layers=searched_layers(request.graph),
        make=make,
        judge=judge,
        seconds=options.seconds,
        progress=progress,
        replayed=None if options.replay is None else read_search(options.replay),
    ).run()


def searched_layers(graph: FloatGraph) -> list[str]:
    """The nodes with constant weights, by name."""
    return [
        node.name
        for node in ir.load(graph.path).graph
        if node.op_type in ANCHORS
        and not node.domain
        and node.name
        and (weight := node.inputs[1]) is not None
        and weight.const_value is not None
    ]


def read_search(path: Path) -> SearchRecord:
    """Read the record of a search.

    Raises:
        UsageError: If there is none, or it isn't one.
    """
    try:
        return from_json(path.read_bytes(), SearchRecord, where=str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a .search.json file") from error
