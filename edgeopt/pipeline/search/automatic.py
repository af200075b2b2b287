"""What ``--precision auto`` adds to a conversion: which layers the artifact spares the 8 bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeopt.converters.onnx.placement import ANCHORS
from edgeopt.converters.registry import WRITERS
from edgeopt.converters.writer import Kept, Writer, WriteRequest
from edgeopt.core.effort import Effort
from edgeopt.core.errors import UsageError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.ir import ir
from edgeopt.core.precision import Format, Precision
from edgeopt.core.progress import Progress
from edgeopt.pipeline.search.judge import Judge
from edgeopt.pipeline.search.options import AutoOptions
from edgeopt.pipeline.search.record import Arithmetic, Mix, SearchRecord
from edgeopt.pipeline.search.search import Made, Search


def search_within_budget(
    request: WriteRequest, write: Writer, judge: Judge, options: AutoOptions, progress: Progress
) -> SearchRecord:
    """Search for the layers to spare.

    Args:
        request: What the artifact is made from; those that are tried are written to its scratch
            folder.
        write: Makes one.
        judge: Finds its quality.
        options: The user's.
        progress: Told how far it is.

    Raises:
        GateError: If nothing could become integer.
        UsageError: If what is to be replayed is the search of another model or target.
    """
    _check_replayed(options.replayed, request)
    # LiteRT loads no layer of 8 bits beside one of 16.
    wide = judge.fmt is Format.ONNX and request.target.rules(judge.fmt).wide is not None
    layers = searched_layers(request.graph)
    return Search(
        budget=options.budget,
        layers=[name for name in layers if name not in request.kept.wide],
        arithmetics=[Arithmetic.FLOAT, *([Arithmetic.WIDE] if wide else [])],
        make=_Maker(request, write),
        reference=lambda: _reference(request, judge.fmt),
        judge=judge,
        seconds=options.seconds,
        target=request.target.name,
        progress=progress,
        replayed=options.replayed,
    ).run()


def _reference(request: WriteRequest, fmt: Format) -> Path:
    """The float model in the format: what latencies are compared with."""
    if fmt is Format.ONNX:
        return request.graph.path
    path = request.scratch / f"float{request.path.suffix}"
    if not path.exists():
        WRITERS[fmt, Precision.FP32].load()(replace(request, path=path, kept=Kept()))
    return path


class _Maker:
    """Makes artifacts to be tried, each under a name of its own."""

    def __init__(self, request: WriteRequest, write: Writer) -> None:
        self.request, self.write = request, write
        self.made = 0

    def __call__(self, mix: Mix, rough: bool) -> Made:
        self.made += 1
        path = self.request.scratch / f"tried_{self.made}{self.request.path.suffix}"
        tried = with_mix(replace(self.request, path=path), mix)
        if rough and tried.effort.rounds:
            tried = replace(tried, effort=Effort.DEFAULT)
        written = self.write(tried)
        return Made(path, frozenset(layer.node for layer in written.float_layers))


def with_mix(request: WriteRequest, mix: Mix) -> WriteRequest:
    """The request, with a mix added to what the user keeps from 8 bits."""
    kept = request.kept
    floating, wide = kept.floating | {*mix.keep_float}, kept.wide | {*mix.keep_16bit}
    return replace(request, kept=Kept(floating, wide))


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


def _check_replayed(replayed: SearchRecord | None, request: WriteRequest) -> None:
    if replayed is None:
        return
    if replayed.graph_sha256 != request.graph.sha256:
        raise UsageError("--replay: the search is one of another model", hint="leave it out")
    if replayed.target != request.target.name:
        raise UsageError(
            f"--replay: the search was for target {replayed.target!r}",
            hint=f"add --target {replayed.target}, or leave --replay out",
        )
