"""What is known of a graph's activations once its outlier channels were smoothed away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeopt.calibration.ranges import Range
from edgeopt.calibration.smoothing import smoothed_hessian
from edgeopt.calibration.table import CalibrationTable
from edgeopt.converters.onnx.smoothing import Smoothing, smooth
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.effort import Effort
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeopt.calibration.hessians import Hessian


@dataclass(frozen=True)
class Known:
    """Statistics as an effort uses them.

    Args:
        table: Of the float graph.
        effort: ``fast`` uses nothing but ranges.
        smoothing: What was changed since.
    """

    table: CalibrationTable
    effort: Effort
    smoothing: Smoothing = field(default_factory=Smoothing)

    @staticmethod
    def of(graph: ir.Graph, request: WriteRequest) -> Known:
        """Smooth a float graph, as far as the effort goes, and say what is known of it then.

        Args:
            graph: Edited.
            request: Holds table and effort.
        """
        assert request.table is not None
        if not request.effort.corrects:
            return Known(request.table, request.effort)
        smoothing = smooth(graph, request.table, request.kept.floating)
        return Known(request.table, request.effort, smoothing)

    @property
    def ranges(self) -> dict[str, Range]:
        """Of the tensors that smoothing changed."""
        return self.smoothing.ranges

    def means(self, tensor: str) -> NDArray[np.float64] | None:
        """The means of a tensor's channels, ``(C,)``; None if not known, or not to be used."""
        if not self.effort.corrects:
            return None
        if tensor in self.smoothing.tensors:
            return self.smoothing.tensors[tensor].channels.means
        stats = self.table.tensors.get(tensor)
        return stats.channels.means if stats is not None and stats.channels is not None else None

    def hessian(self, node: ir.Node) -> Hessian | None:
        """How a layer's inputs vary together; None if not known, or not to be used."""
        found = self.table.hessians.get(node.name or "") if self.effort.rounds else None
        data = node.inputs[0]
        changed = self.smoothing.tensors.get(data.name or "") if data is not None else None
        if found is None or changed is None:
            return found
        return smoothed_hessian(found, changed.factors)
