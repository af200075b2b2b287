"""Moving transposes through a graph: each is carried along until an operator needs the real order.

What TensorFlow computes with channels last comes with a Transpose before each convolution and
another after it. Operators that don't care for the order take what is stored; the rest gets a
Transpose, once for all that need it. Going forward once is enough, and takes time proportional to
the graph's size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeopt.converters.reordering.rules import RULES
from edgeopt.converters.reordering.views import Order, View, dims, inverse
from edgeopt.core.ir import convenience, ir, passes


def move_transposes(model: ir.Model) -> None:
    """Leave those transposes only that something needs."""
    Mover(model.graph).run()
    passes.RemoveUnusedNodesPass()(model)


class Mover:
    """The state of the pass.

    Args:
        graph: In topological order; changed in place.
    """

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        self._views: dict[ir.Value, View] = {}
        self._made: dict[tuple[ir.Value, Order], ir.Value] = {}
        self._constants = 0
        self._at: ir.Node | None = None

    def run(self) -> None:
        """Go through the graph."""
        for node in list(self.graph):
            self._at = node
            if node.op_type == "Transpose" and not node.domain:
                self._take(node)
            elif any(not self.view(v).plain for v in node.inputs if v is not None):
                rule = None if node.domain else RULES.get(node.op_type)
                if rule is None or not rule(self, node):
                    self._materialize(node)
            else:
                self._alias(node)
        self._at = None
        self._finish()

    def view(self, value: ir.Value) -> View:
        """How a value is stored."""
        known = self._views.get(value)
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
        self._views[value] = View(value, order)

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
        if self._at is None:
            self.graph.append(node)
        else:
            self.graph.insert_before(self._at, node)
        return output

    def _take(self, node: ir.Node) -> None:
        (value,) = node.inputs
        assert value is not None
        view = self.view(value)
        given = node.attributes.get("perm")
        rank = len(view.order)
        order = tuple(given.as_ints()) if given is not None else tuple(range(rank))[::-1]
        if rank != len(order):  # its rank isn't known
            self._materialize(node)
            return
        self._views[node.outputs[0]] = View(view.stored, tuple(view.order[axis] for axis in order))

    def _alias(self, node: ir.Node) -> None:
        for place, value in enumerate(node.inputs):
            if value is not None and value in self._views:
                node.replace_input_with(place, self.view(value).stored)

    def _materialize(self, node: ir.Node) -> None:
        for place, value in enumerate(node.inputs):
            if value is not None and value in self._views:
                view = self.view(value)
                node.replace_input_with(place, self.transposed(view.stored, view.order))

    def _finish(self) -> None:
        for place, value in enumerate(self.graph.outputs):
            if value not in self._views:
                continue
            view = self.view(value)
            made = self.transposed(view.stored, view.order)
            if made is value or made in self.graph.outputs or made in self.graph.inputs:
                continue
            name = value.name
            value.name = f"{name}/stored"
            made.name = name
            made.type = value.type
            self.graph.outputs[place] = made


def _moves_ones(sizes: Sequence[int | None], order: Order) -> bool:
    """Whether only axes of size 1 change places."""
    others = [axis for axis in order if sizes[axis] != 1]
    return others == sorted(others)
