"""SmoothQuant on a float graph: factors into weights and producers, or into a Mul of their own.

The float function stays what it was, up to rounding. A tensor that changed has a new name, so that
what a calibration table says under a name remains true of it.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.points import RESHAPING_OPS, is_activation
from edgeopt.calibration.ranges import Range, usable
from edgeopt.calibration.smoothing import (
    pays,
    reach,
    smoothed,
    smoothing_factors,
    whole_range,
)
from edgeopt.calibration.table import CalibrationTable, ChannelStats
from edgeopt.converters.onnx.absorption import Place, absorption, input_axis, is_product, width
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Factors = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A tensor with its outlier channels divided away.

    Args:
        source: Its name in the float graph before.
        factors: What each channel was divided by, ``(C,)``.
        channels: What would have been seen of it.
        range: From the least to the greatest value of any channel.
        absorbed: Whether the constants before it took the factors in; else a Mul divides.
    """

    source: str
    factors: Factors
    channels: ChannelStats
    range: Range
    absorbed: bool


@dataclass(frozen=True)
class Smoothing:
    """What :func:`smooth` did.

    Args:
        tensors: By the tensor's new name, in the graph's order.
    """

    tensors: dict[str, Smoothed] = field(default_factory=dict)

    @property
    def ranges(self) -> dict[str, Range]:
        """The new tensors' ranges, by name."""
        return {name: each.range for name, each in self.tensors.items()}

    @property
    def means(self) -> dict[str, NDArray[np.float64]]:
        """The new tensors' channel means, ``(C,)``, by name."""
        return {name: each.channels.means for name, each in self.tensors.items()}


def smooth(graph: ir.Graph, table: CalibrationTable, floating: Container[str] = ()) -> Smoothing:
    """Smooth what goes into matrix products with constant weights and has outlier channels.

    All products that read a tensor share its factors. Where a LayerNormalization, an affine
    operator or a product before them can absorb these (nothing else reads the tensor), it does;
    elsewhere one Mul divides for all of the products. A tensor that is put together by moving
    values, as the heads of an attention are, is left alone: for 0.1 dB (MiniLM) a Mul would stand
    between the integers and what moves them.

    Args:
        graph: The float graph; edited.
        table: Of that graph.
        floating: Names of the nodes that stay float: they gain nothing.

    Returns:
        What changed; nothing where no tensor has outlier channels, or too little was seen of them.
    """
    editor = _Editor(graph)
    done: dict[str, Smoothed] = {}
    for value, products in _inputs_of_products(graph, floating).items():
        source = _own_axis(value)
        name = source.name or ""
        channels = _known(source, table)
        if channels is None or len(channels.sums) != width(value):
            continue
        values = table.tensors[name].histogram.total // len(channels.sums)
        if not pays(channels, values):
            continue
        factors = smoothing_factors(reach(channels), [_rows(node) for node in products])
        after, absorbed = editor.divide(value, products, factors)
        found = smoothed(channels, factors)
        done[after.name or ""] = Smoothed(name, factors, found, whole_range(found), absorbed)
    return Smoothing(done)


def _inputs_of_products(graph: ir.Graph, floating: Container[str]) -> dict[ir.Value, list[ir.Node]]:
    found: dict[ir.Value, list[ir.Node]] = {}
    for node in graph:
        if not is_product(node) or (node.name or "") in floating:
            continue
        if (data := node.inputs[0]) is not None and is_activation(data):
            found.setdefault(data, []).append(node)
    return found


def _own_axis(value: ir.Value) -> ir.Value:
    """The value that has the same last axis, before any Reshape that leaves it as it is."""
    node = value.producer()
    while node is not None and node.op_type == "Reshape" and not node.domain:
        before = node.inputs[0]
        if before is None or width(before) is None or width(before) != width(value):
            break
        value, node = before, before.producer()
    return value


def _known(value: ir.Value, table: CalibrationTable) -> ChannelStats | None:
    producer = value.producer()
    moved = producer is not None and producer.op_type in RESHAPING_OPS and not producer.domain
    stats = table.tensors.get(value.name or "")
    return stats.channels if stats is not None and usable(stats.histogram) and not moved else None


def _rows(product: ir.Node) -> NDArray[np.float32]:
    """A product's weights as ``(C, outputs)``."""
    weight = product.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    array: NDArray[np.float32] = weight.const_value.numpy()
    return array.T if input_axis(product) == 1 else array


class _Editor:
    """Divides tensors of one graph."""

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        outputs = (value for node in graph for value in node.outputs)
        self.names = {v.name for v in (*graph.inputs, *outputs, *graph.initializers.values())}

    def divide(
        self, value: ir.Value, products: list[ir.Node], factors: Factors
    ) -> tuple[ir.Value, bool]:
        """Divide what products read and multiply their weights.

        Returns:
            The divided value, and whether constants before it absorbed the factors.
        """
        # The weights' factors undo the others as float32 holds them.
        shrink = (1 / factors).astype(np.float32).astype(np.float64)
        found = absorption(value, {(node, 0) for node in products})
        if found is None:
            after = self._multiplied(value, shrink)
            for node in products:
                node.replace_input_with(0, after)
        else:
            after = value
            for changed in found.values:
                changed.name = self._unique(f"{changed.name}_smoothed")
            for place in found.places:
                self._scale(place, shrink)
        for node in products:
            self._scale(Place(node, 1, input_axis(node)), 1 / shrink)
        return after, found is not None

    def _multiplied(self, value: ir.Value, by: Factors) -> ir.Value:
        constant = self._constant(f"{value.name}_smoothing", by.astype(np.float32))
        name = self._unique(f"{value.name}_smoothed")
        node = ir.node("Mul", [value, constant], name=name)
        after = node.outputs[0]
        after.name, after.type, after.shape = name, value.type, value.shape
        producer = value.producer()
        if producer is None:
            self.graph.insert_before(self.graph[0], node)
        else:
            self.graph.insert_after(producer, node)
        return after

    def _scale(self, place: Place, by: Factors) -> None:
        value = place.node.inputs[place.index]
        assert value is not None
        assert value.const_value is not None
        array = value.const_value.numpy()
        shape = [1] * max(array.ndim, 1)
        shape[place.axis] = -1
        scaled = (array * by.reshape(shape)).astype(np.float32)
        constant = self._constant(f"{value.name}_smoothed", scaled)
        place.node.replace_input_with(place.index, constant)

    def _constant(self, name: str, array: NDArray[np.float32]) -> ir.Value:
        # One of its own for each reader: others may use the constant it is made from as it was.
        tensor = ir.tensor(array, name=self._unique(name))
        kind = ir.TensorType(tensor.dtype)
        value = ir.Value(
            name=tensor.name, const_value=tensor, type=kind, shape=ir.Shape(array.shape)
        )
        self.graph.register_initializer(value)
        return value

    def _unique(self, name: str) -> str:
        free, number = name, 2
        while free in self.names:
            free, number = f"{name}_{number}", number + 1
        self.names.add(free)
        return free
