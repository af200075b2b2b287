"""What is stored of each value of a graph, and the transposes and constants made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeopt.converters.reordering.views import Order, View, dims, inverse
from edgeopt.core.ir import convenience, ir


@dataclass
class Stored:
    """The values of a graph that is gone through.

    Args:
        graph: In topological order; changed in place.
        at: The node before which new ones are put; None for the graph's end.
        views: The values that are stored in another order than they are read.
    """

    graph: ir.Graph
    at: ir.Node | None = None
    views: dict[ir.Value, View] = field(default_factory=dict)
    _made: dict[tuple[ir.Value, Order], ir.Value] = field(default_factory=dict)
    _constants: int = 0

    def view(self, value: ir.Value) -> View:
        """How a value is stored."""
        known = self.views.get(value)
        if known is not None:
            return known
        rank = 0 if value.shape is None else len(value.shape)
        return View(value, tuple(range(rank)))

    def bind(self, value: ir.Value, order: Order) -> None:
        """Say that a node's output is stored in another order than it is read."""
        stored_shape = None
        if value.shape is not None:
            back = inverse(order)
            stored_shape = ir.Shape([value.shape[axis] for axis in back])
        value.shape = stored_shape
        self.views[value] = View(value, order)

    def in_order(self, value: ir.Value, order: Order) -> ir.Value | None:
        """The tensor that, read in ``order``, is ``value``; None if its rank is another.

        Values that are constant, or of one element, are made to fit.
        """
        constant = convenience.get_const_tensor(value)
        if constant is not None:
            return self._constant_in(value, constant.numpy(), order)
        view = self.view(value)
        if value.shape is None or len(view.order) != len(order):
            return None
        return self.transposed(view.stored, tuple(view.order[axis] for axis in inverse(order)))

    def constant(self, array: np.ndarray, like: str) -> ir.Value:
        """A new constant."""
        self._constants += 1
        value = ir.Value(name=f"{like}_reordered_{self._constants}", const_value=ir.tensor(array))
        value.dtype, value.shape = ir.DataType.from_numpy(array.dtype), ir.Shape(array.shape)
        self.graph.register_initializer(value)
        return value

    def transposed(self, value: ir.Value, order: Order) -> ir.Value:
        """``transpose(value, order)``, made once."""
        if order == tuple(range(len(order))):
            return value
        if (value, order) not in self._made:
            self._made[value, order] = self._transpose(value, order)
        return self._made[value, order]

    def _constant_in(self, value: ir.Value, array: np.ndarray, order: Order) -> ir.Value | None:
        if array.size == 1:
            return value
        if array.ndim > len(order):
            return None
        wide = array.reshape((1,) * (len(order) - array.ndim) + array.shape)
        return self.constant(np.ascontiguousarray(wide.transpose(inverse(order))), value.name or "")

    def _transpose(self, value: ir.Value, order: Order) -> ir.Value:
        sizes = dims(value)
        node = None
        if sizes is not None and _moves_ones(sizes, order):
            target = [sizes[axis] for axis in order]
            if target.count(None) <= 1:
                shape = np.array([-1 if d is None else d for d in target], np.int64)
                node = ir.node("Reshape", [value, self.constant(shape, value.name or "")])
        if node is None:
            node = ir.node("Transpose", [value], {"perm": list(order)})
        self._constants += 1
        node.name = f"{value.name}/transpose_{self._constants}"
        output = node.outputs[0]
        output.name = f"{node.name}:0"
        output.type = value.type
        if value.shape is not None:
            output.shape = ir.Shape([value.shape[axis] for axis in order])
        if self.at is None:
            self.graph.append(node)
        else:
            self.graph.insert_before(self.at, node)
        return output


def _moves_ones(sizes: Sequence[int | None], order: Order) -> bool:
    """Whether only axes of size 1 change places."""
    others = [axis for axis in order if sizes[axis] != 1]
    return others == sorted(others)
