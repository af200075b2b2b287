"""A float graph with Q/DQ pairs, and everything that is done for its accuracy, for any runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from edgeopt.calibration.ranges import Range, choose_ranges
from edgeopt.converters.onnx.activations import Activations
from edgeopt.converters.onnx.drift import correct_means
from edgeopt.converters.onnx.evidence import nothing_integer
from edgeopt.converters.onnx.fence import fence_floats
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.pairs import PairInserter
from edgeopt.converters.onnx.placement import Placement
from edgeopt.converters.onnx.wide import OPSET, load_at_opset, touches, wide_ranges, wide_sources
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.precision import Precision
from edgeopt.targets import EncodingRules

Place = Callable[[ir.Graph, Mapping[str, Range], Set[str]], Placement]
"""A runtime's rule of what becomes integer: the graph, usable ranges, and nodes kept float."""


@dataclass(frozen=True, eq=False)
class Quantized:
    """A QDQ model in memory.

    Args:
        model: The graph.
        planned: The nodes that integer kernels are to compute.
        encodings: Every scale in it.
        float_layers: Nodes with weights that stay float, and why.
        warnings: What the user should know.
    """

    model: ir.Model
    planned: tuple[ir.Node, ...]
    encodings: tuple[Encoding, ...]
    float_layers: tuple[FloatLayer, ...]
    warnings: tuple[str, ...] = ()


def quantized(
    request: WriteRequest, rules: EncodingRules, precision: Precision, place: Place
) -> Quantized:
    """Quantize a float graph by a runtime's rules.

    Args:
        request: What it is made from.
        rules: How tensors are encoded.
        precision: What it is called.
        place: Where integers go.

    Raises:
        GateError: If no convolution or matrix product could become integer.
        UnsupportedError: If activations of 16 bits are asked for and the model can't be brought to
            the opset that has them.
    """
    assert request.table is not None
    all_wide = rules.activation.bits == 16
    model = _loaded(request, newer=all_wide or bool(request.kept.wide))
    symmetric = rules.activation.symmetric
    known = Known.of(model.graph, request)
    ranges = {
        **choose_ranges(request.table, request.ranges, symmetric=symmetric),
        **known.ranges,
    }
    plan = place(model.graph, ranges, request.kept.floating)
    if not plan.anchors:
        raise nothing_integer(precision, plan.float_layers)
    sources = wide_sources(plan, request.kept.wide)
    planned = () if all_wide else tuple(n for n in plan.anchors if not touches(n, sources))
    beside = () if all_wide else _beside_wide(plan, sources, request.kept.wide)
    wide: dict[str, Range] = {}
    if all_wide or sources:
        wide = wide_ranges(request.table, symmetric=rules.wide is not None and rules.wide.symmetric)
    activations = Activations(
        rules, {**ranges, **plan.ranges}, {**wide, **known.ranges}, sources, plan.fixed
    )
    encodings = PairInserter(model.graph, rules, known, activations).apply(plan)
    fence_floats(model.graph, request.kept.floating)
    if request.effort.corrects:
        correct_means(
            request.graph.path, model, request.samples(), scratch=request.scratch,
            progress=request.progress,
        )  # fmt: skip
    return Quantized(
        model, planned, encodings, (*plan.float_layers, *beside), _idle(plan, request.kept.wide)
    )


def _loaded(request: WriteRequest, *, newer: bool) -> ir.Model:
    path = request.graph.path
    return load_at_opset(path, OPSET) if newer else ir.load(path)


def _beside_wide(plan: Placement, sources: Set[str], names: Set[str]) -> tuple[FloatLayer, ...]:
    """The layers that float arithmetic takes over for 16 bits' sake."""
    return tuple(
        FloatLayer(
            node=node.name or "",
            op=node.op_type,
            reason="its activations have 16 bits, as asked"
            if node.name in names
            else "it takes or gives 16 bits, as asked of a layer beside it",
        )
        for node in plan.anchors
        if touches(node, sources)
    )


def _idle(plan: Placement, names: Set[str]) -> tuple[str, ...]:
    idle = sorted(names - {node.name for node in (*plan.anchors, *plan.followers)})
    if not idle:
        return ()
    return (f"nothing to keep at 16 bits: {', '.join(idle)} would be float anyway",)
