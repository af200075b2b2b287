"""Loops of a known number of steps, written out.

TensorFlow computes a recurrent layer by a loop over its steps. Where their number is known the loop
becomes its steps: runtimes without control flow can express those, and each can be quantized.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from edgeopt.core.ir import convenience, ir

MOST_STEPS = 1000
"""Longer loops stay loops."""

_COUNTING: Mapping[str, Callable[..., Any]] = {
    "Identity": lambda x: x,
    "Add": np.add,
    "Less": np.less,
    "And": np.logical_and,
    "Not": np.logical_not,
}
"""What counters and conditions are made of."""


def write_out_loops(model: ir.Model) -> bool:
    """Replace every Loop whose number of steps is known; tells whether there was one."""
    loops = [node for node in model.graph if node.op_type == "Loop" and not node.domain]
    return sum(_WrittenOut(model.graph, loop).replace() for loop in loops) > 0


class _WrittenOut:
    """One loop, step by step.

    Args:
        graph: The graph that holds it.
        loop: The node.
    """

    def __init__(self, graph: ir.Graph, loop: ir.Node) -> None:
        self.graph, self.loop = graph, loop
        self.body: ir.Graph = loop.attributes["body"].as_graph()
        self.nodes: list[ir.Node] = []
        self.numbers: dict[ir.Value, np.ndarray] = {}

    def replace(self) -> bool:
        """Write it out if its condition is known at each step."""
        limit, going = self._number(self.loop.inputs[0]), self._number(self.loop.inputs[1])
        if limit is None or limit.item() > MOST_STEPS or going is None:
            return False
        carried = list(self.loop.inputs[2:])
        scanned: list[list[ir.Value | None]] = []
        for step in range(limit.item()):
            if not going:
                break
            results = self._step(step, carried)
            going = self._number(results[0])
            if going is None:
                return False
            carried = results[1 : len(carried) + 1]
            scanned.append(results[len(carried) + 1 :])
        if not scanned:
            return False
        self._splice(carried, scanned)
        return True

    def _number(self, value: ir.Value | None) -> np.ndarray | None:
        if value is None:
            return np.asarray(True)
        if value not in self.numbers:
            tensor = convenience.get_const_tensor(value)
            if tensor is not None and tensor.size == 1:
                self.numbers[value] = tensor.numpy()
        return self.numbers.get(value)

    def _step(self, step: int, carried: Sequence[ir.Value | None]) -> list[ir.Value | None]:
        values: dict[ir.Value, ir.Value | None] = dict(
            zip(self.body.inputs[2:], carried, strict=True)
        )
        values[self.body.inputs[0]] = self._constant(np.asarray(step, np.int64), f"step_{step}")
        values[self.body.inputs[1]] = self._constant(np.asarray(True), f"going_{step}")
        for value in self.body.initializers.values():
            assert value.const_value is not None
            values[value] = self._constant(value.const_value.numpy(), f"{value.name}_{step}")
        for node in self.body:
            self._copy(node, values, step)
        return [values.get(output, output) for output in self.body.outputs]

    def _constant(self, array: np.ndarray, name: str) -> ir.Value:
        value = ir.Value(name=f"{self.loop.name}/{name}", const_value=ir.tensor(array))
        value.dtype, value.shape = ir.DataType.from_numpy(array.dtype), ir.Shape(array.shape)
        self.graph.register_initializer(value)
        if array.size == 1:
            self.numbers[value] = array
        return value

    def _copy(self, node: ir.Node, values: dict[ir.Value, ir.Value | None], step: int) -> None:
        given = [None if v is None else values.get(v, v) for v in node.inputs]
        copy = ir.Node(
            node.domain,
            node.op_type,
            given,
            list(node.attributes.values()),
            num_outputs=len(node.outputs),
            name=f"{node.name or node.outputs[0].name}_{step}",
        )
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            new.name, new.type, new.shape = f"{old.name}_{step}", old.type, old.shape
            values[old] = new
        self.nodes.append(copy)
        self._count(copy)

    def _count(self, node: ir.Node) -> None:
        numbers = [self._number(v) for v in node.inputs]
        if any(n is None for n in numbers):
            return
        if node.op_type == "Cast":
            kind = ir.DataType(node.attributes["to"].as_int()).numpy()
            self.numbers[node.outputs[0]] = numbers[0].astype(kind)  # type: ignore[union-attr]
        elif node.op_type in _COUNTING and all(n.size == 1 for n in numbers):  # type: ignore[union-attr]
            self.numbers[node.outputs[0]] = np.asarray(_COUNTING[node.op_type](*numbers))

    def _splice(
        self, carried: Sequence[ir.Value | None], scanned: Sequence[Sequence[ir.Value | None]]
    ) -> None:
        axis = self._constant(np.asarray([0], np.int64), "axis")
        results: list[ir.Value | None] = list(carried)
        for each in zip(*scanned, strict=True):
            rows = [ir.node("Unsqueeze", [value, axis]) for value in each]
            joined = ir.node("Concat", [row.outputs[0] for row in rows], {"axis": 0})
            self.nodes += [*rows, joined]
            results.append(joined.outputs[0])
        for number, node in enumerate(self.nodes):
            node.name = node.name or f"{self.loop.name}/{node.op_type}_{number}"
            for output in node.outputs:
                output.name = output.name or f"{node.name}:0"
        self.graph.insert_before(self.loop, self.nodes)
        for old, new in zip(self.loop.outputs, results, strict=True):
            assert new is not None
            convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
        self.graph.remove(self.loop, safe=True)
