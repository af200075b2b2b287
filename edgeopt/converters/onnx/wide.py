"""Activations of 16 bits: which they are, the range they cover, and the opset that has them."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from edgeopt.calibration.points import after_clamp, range_source
from edgeopt.calibration.ranges import Range, RangeMethod, choose_ranges
from edgeopt.calibration.table import CalibrationTable
from edgeopt.converters.onnx.placement import Placement
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

OPSET = 21
"""The first whose QuantizeLinear gives 16 bits."""

_MARGIN = 1.5
"""What was seen of a part of a tensor's elements falls short of its extremes by up to a fifth; one
bit of sixteen buys certainty."""


def load_at_opset(path: Path, opset: int) -> ir.Model:
    """Read a float graph, brought to a newer opset where it has an older one.

    Raises:
        UnsupportedError: If one of its operators can't be brought there.
    """
    import onnx
    import onnx.version_converter

    model = onnx.load(path)
    has = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), opset)
    if has < opset:
        try:
            model = onnx.version_converter.convert_version(model, opset)
        except Exception as error:
            # The converter raises whatever its C++ assertions do.
            raise UnsupportedError(
                f"16-bit activations need ONNX opset {opset}, and this model of opset {has} can't "
                f"be brought there ({str(error).splitlines()[0]})",
                hint=f"export it at opset {opset}",
            ) from error
    raised: ir.Model = ir.from_proto(model)
    return raised


def wide_sources(plan: Placement, names: Set[str]) -> frozenset[str]:
    """The tensors that get 16 bits for some layers' sake, by the name their range is kept under.

    That is a layer's output where it is quantized. A matrix product gives floats: there it is the
    input.
    """
    quantized = set(plan.quantized)
    found = set()
    for node in (*plan.anchors, *plan.followers):
        if node.name in names:
            output = after_clamp(node.outputs[0])
            chosen = output if output in quantized else node.inputs[0]
            assert chosen is not None
            found.add(range_source(chosen).name or "")
    return frozenset(found)


def touches(node: ir.Node, sources: Set[str]) -> bool:
    """Whether a node takes or gives one of those tensors."""
    values = [*node.inputs, *(after_clamp(output) for output in node.outputs)]
    return any(v is not None and range_source(v).name in sources for v in values)


def wide_ranges(table: CalibrationTable, *, symmetric: bool) -> dict[str, Range]:
    """The range of every tensor at 16 bits: all that was seen, as nothing is won by clipping."""
    ranges = choose_ranges(table, RangeMethod.MIN_MAX, symmetric=symmetric)
    if table.complete:
        return ranges
    return {n: Range(low=_MARGIN * r.low, high=_MARGIN * r.high) for n, r in ranges.items()}
