"""Places that are counted from the end: ONNX's Gather knows them, TensorFlow's doesn't.

So Keras adds the size to those below zero first. That is taken away again.
"""

from __future__ import annotations

from edgeopt.core.ir import convenience, ir


def count_from_the_end(graph: ir.Graph) -> None:
    """Give each Gather the places that it has before ``where(i < 0, i + size, i)``."""
    for node in graph:
        if node.op_type == "Gather" and not node.domain:
            size = _size(node)
            source = None if size is None else _unwrapped(node.inputs[1], size)
            if source is not None:
                node.replace_input_with(1, source)


def _size(gather: ir.Node) -> int | None:
    data = gather.inputs[0]
    if data is None or data.shape is None:
        return None
    size = data.shape[gather.attributes.get_int("axis", 0)]
    return size if isinstance(size, int) else None


def _unwrapped(places: ir.Value | None, size: int) -> ir.Value | None:
    """The places in ``where(i < 0, i + size, i)``; None for anything else."""
    where = None if places is None else places.producer()
    if where is None or where.op_type != "Where":
        return None
    condition, moved, source = where.inputs
    less, added = (v.producer() if v is not None else None for v in (condition, moved))
    if source is None or less is None or added is None:
        return None
    below = less.op_type == "Less" and _same(less.inputs[0], source) and _is(less.inputs[1], 0)
    return source if below and _adds(added, source, size) else None


def _adds(node: ir.Node, source: ir.Value, size: int) -> bool:
    if node.op_type != "Add":
        return False
    one, two = node.inputs
    return (one is source and _is(two, size)) or (two is source and _is(one, size))


def _same(value: ir.Value | None, source: ir.Value) -> bool:
    """Whether it is the source, or the source as another type."""
    cast = None if value is None else value.producer()
    if cast is not None and cast.op_type == "Cast":
        value = cast.inputs[0]
    return value is source


def _is(value: ir.Value | None, number: int) -> bool:
    tensor = None if value is None else convenience.get_const_tensor(value)
    return tensor is not None and bool((tensor.numpy() == number).all())
