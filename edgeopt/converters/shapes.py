"""Shapes that a graph computes from its inputs' shapes, made constants.

TensorFlow reshapes to a shape that it gathers number by number, for a batch that is only known at
run time. With one number unknown that is a constant with a -1; runtimes for devices want those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edgeopt.core.ir import convenience, ir, passes

Numbers = list[int | None]
"""What is known of a vector of integers, or of one."""


_MOST_ROUNDS = 50
"""Each round knows the shapes behind what the one before it settled."""


def constant_shapes(model: ir.Model) -> None:
    """Give every Reshape whose target has one unknown number a constant target.

    Shapes are inferred anew, as far as they can be.
    """
    for _ in range(_MOST_ROUNDS):
        passes.ShapeInferencePass()(model)
        if not _round(model.graph):
            break
    passes.RemoveUnusedNodesPass()(model)


def _round(graph: ir.Graph) -> bool:
    known: dict[ir.Value, Numbers] = {}
    settled = False
    for node in graph:
        _learn(node, known)
        if node.op_type == "Reshape" and not node.domain:
            settled = _settle(graph, node, known) or settled
            _join(node)
    return settled


def _settle(graph: ir.Graph, node: ir.Node, known: dict[ir.Value, Numbers]) -> bool:
    target = node.inputs[1]
    if target is None or convenience.get_const_tensor(target) is not None:
        return False
    numbers = known.get(target)
    if numbers is None or numbers.count(None) > 1 or (None in numbers and -1 in numbers):
        return False
    array = np.array([-1 if n is None else n for n in numbers], np.int64)
    value = ir.Value(name=f"{node.name}/target", const_value=ir.tensor(array))
    value.dtype, value.shape = ir.DataType.INT64, ir.Shape(array.shape)
    graph.register_initializer(value)
    node.replace_input_with(1, value)
    return True


def _join(node: ir.Node) -> None:
    """Reshape what the Reshape before it reshaped."""
    value, target = node.inputs[0], node.inputs[1]
    before = None if value is None else value.producer()
    tensor = None if target is None else convenience.get_const_tensor(target)
    if before is None or before.op_type not in ("Reshape", "Flatten", "Squeeze", "Unsqueeze"):
        return
    if tensor is not None and 0 not in tensor.numpy() and not before.domain:
        node.replace_input_with(0, before.inputs[0])


def _learn(node: ir.Node, known: dict[ir.Value, Numbers]) -> None:
    rule = None if node.domain else _RULES.get(node.op_type)
    if rule is None:
        return
    given = [_numbers(value, known) for value in node.inputs if value is not None]
    found = rule(node, given)
    if found is not None:
        known[node.outputs[0]] = found


def _numbers(value: ir.Value, known: Mapping[ir.Value, Numbers]) -> Numbers | None:
    if value in known:
        return known[value]
    tensor = convenience.get_const_tensor(value)
    if tensor is None or tensor.size > 16 or not np.issubdtype(tensor.numpy().dtype, np.integer):
        return None
    return [int(n) for n in tensor.numpy().reshape(-1)]


def _shape(node: ir.Node, _given: Sequence[Numbers | None]) -> Numbers | None:
    value = node.inputs[0]
    if value is None or value.shape is None:
        return None
    first, last = node.attributes.get("start"), node.attributes.get("end")
    start = 0 if first is None else first.as_int()
    stop = len(value.shape) if last is None else last.as_int()
    return [d if isinstance(d, int) else None for d in value.shape][start:stop]


def _same(_node: ir.Node, given: Sequence[Numbers | None]) -> Numbers | None:
    return given[0]


def _slice(_node: ir.Node, given: Sequence[Numbers | None]) -> Numbers | None:
    data, bounds = given[0], given[1:]
    if data is None or any(b is None or len(b) != 1 or b[0] is None for b in bounds):
        return None
    start, stop = (b[0] for b in bounds[:2] if b is not None)
    step = bounds[3][0] if len(bounds) > 3 and bounds[3] is not None else 1
    return data[slice(start, stop, step)]


def _gather(_node: ir.Node, given: Sequence[Numbers | None]) -> Numbers | None:
    data, places = given[0], given[1]
    if data is None or places is None or None in places:
        return None
    return [data[place] for place in places if place is not None]


def _concat(_node: ir.Node, given: Sequence[Numbers | None]) -> Numbers | None:
    if any(part is None for part in given):
        return None
    return [n for part in given if part is not None for n in part]


def _largest(_node: ir.Node, given: Sequence[Numbers | None]) -> Numbers | None:
    if any(part is None or len(part) != len(given[0] or ()) for part in given):
        return None
    rows = zip(*(part for part in given if part is not None), strict=True)
    # Of sizes that broadcast one is 1 where they differ, and an unknown one is unknown still.
    return [None if None in row else max(n for n in row if n is not None) for row in rows]


def _product(_node: ir.Node, given: Sequence[Numbers | None]) -> Numbers | None:
    first = given[0]
    if first is None or (len(given) > 1 and given[1] != [0]):
        return None
    found = 1
    for number in first:
        if number is None:
            return [None]
        found *= number
    return [found]


_RULES: Mapping[str, Callable[[ir.Node, Sequence[Numbers | None]], Numbers | None]] = {
    "Shape": _shape,
    "Cast": _same,
    "Identity": _same,
    "Squeeze": _same,
    "Unsqueeze": _same,
    "Slice": _slice,
    "Gather": _gather,
    "Concat": _concat,
    "Max": _largest,
    "ReduceProd": _product,
}
