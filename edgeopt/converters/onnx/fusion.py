"""What ONNX Runtime really makes of an artifact, read from the graph it optimizes it to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import onnx

from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer
from edgeopt.core.onnx_file import remove
from edgeopt.core.runtime import open_session

INTEGER_OPS = frozenset(
    {
        "QLinearConv",
        "QGemm",
        "QLinearMatMul",
        "MatMulIntegerToFloat",
        "MatMulInteger",
        "ConvInteger",
        "DynamicQuantizeMatMul",
        "MatMulNBits",
    }
)
"""The kernels that compute with integer weights."""

_NAMED = 3
_WITH_BIAS = "/MatMulAddFusion"


@dataclass(frozen=True)
class Fusion:
    """How the runtime's graph compares with what was planned.

    Args:
        integer: How many of the planned nodes are integer.
        stayed: Those that aren't.
        unplanned: Integer ones that nobody planned, as ``operator 'name'``.
    """

    integer: int
    stayed: tuple[FloatLayer, ...] = ()
    unplanned: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know."""
        planned = self.integer + len(self.stayed)
        found = []
        if self.stayed:
            found.append(
                f"{len(self.stayed)} of {planned} layers planned as integer run in float: see "
                "`edgeopt inspect`"
            )
        if self.unplanned:
            more = f" and {len(self.unplanned) - _NAMED} more" if self.unplanned[_NAMED:] else ""
            found.append(
                f"ONNX Runtime makes integers of what was to stay float: "
                f"{', '.join(self.unplanned[:_NAMED])}{more}; report this with the model"
            )
        return tuple(found)


def check_fusion(
    artifact: Path, planned: Sequence[ir.Node], scratch: Path, kept: Set[str] = frozenset()
) -> Fusion:
    """Compare what the runtime computes in integers with what was planned.

    A fused node keeps the name of the float node it was; that is how they are found again. One of
    a product and its bias has an ending after it.
    Elementwise integer kernels between integer tensors give what their float selves would, so that
    they matter only where the user asked for float.

    Args:
        artifact: The quantized model.
        planned: The nodes meant to be integer.
        scratch: Where the runtime may write its optimized graph.
        kept: Names of the nodes that the user keeps float.
    """
    optimized = scratch / "optimized.onnx"
    open_session(artifact, level="extended", optimized=optimized)
    nodes = onnx.load(optimized, load_external_data=False).graph.node
    remove(optimized)
    for node in nodes:
        node.name = node.name.removesuffix(_WITH_BIAS)
    found = {node.name: node.op_type for node in nodes}
    stayed = tuple(
        FloatLayer(
            node=node.name or "",
            op=node.op_type,
            reason=f"ONNX Runtime runs it as {found.get(node.name or '', 'part of another node')}",
        )
        for node in planned
        if found.get(node.name or "") not in INTEGER_OPS
    )
    unplanned = _unplanned(nodes, {node.name or "" for node in planned}, kept)
    return Fusion(len(planned) - len(stayed), stayed, unplanned)


def _unplanned(
    nodes: Iterable[onnx.NodeProto], planned: Set[str], kept: Set[str]
) -> tuple[str, ...]:
    return tuple(
        f"{node.op_type} {node.name!r}"
        for node in nodes
        if (node.op_type in INTEGER_OPS and node.name not in planned)
        or (node.op_type.startswith("QLinear") and node.name in kept)
    )
