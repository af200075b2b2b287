"""Which constants to scale so that a tensor's channels are: exact, and nothing else changes.

Followed backwards from the tensor, through operators that commute with a positive factor on each
channel of the last axis, to the constants that make it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from edgeopt.core.ir import ir

NORMS = frozenset({"LayerNormalization", "RMSNormalization"})
COMMUTING = frozenset({"Relu", "LeakyRelu", "Reshape"})
"""``f(x * s) = f(x) * s`` for positive s, where the last axis stays as it is."""


@dataclass(frozen=True)
class Place:
    """A constant input whose ``axis`` is the channels'.

    Args:
        node: Who reads it.
        index: Which of its inputs it is.
        axis: The channels', from the end.
    """

    node: ir.Node
    index: int
    axis: int = -1


@dataclass(frozen=True)
class Absorption:
    """What takes the factors in.

    Args:
        places: The constants to scale.
        values: The activations that change by it, in the order of computing.
    """

    places: tuple[Place, ...] = ()
    values: tuple[ir.Value, ...] = ()

    def __add__(self, other: Absorption) -> Absorption:
        """Both."""
        return Absorption(self.places + other.places, self.values + other.values)


def absorption(value: ir.Value, uses: Set[tuple[ir.Node, int]]) -> Absorption | None:
    """What scales a value's channels.

    Args:
        value: A float32 activation.
        uses: Who is to read it scaled, as node and input.

    Returns:
        None if anything else reads it (or what would change with it), or an operator on the way
        doesn't commute.
    """
    node, channels = value.producer(), width(value)
    if node is None or node.domain or channels is None or value.is_graph_output():
        return None
    if {(user, index) for user, index in value.uses()} != uses:
        return None
    found = _before(node, channels)
    return None if found is None else found + Absorption(values=(value,))


def is_product(node: ir.Node) -> bool:
    """Whether a node multiplies the last axis of an activation by a constant matrix."""
    if node.domain or node.op_type not in ("MatMul", "Gemm"):
        return False
    transposed = node.attributes.get_int("transA", 0) if node.op_type == "Gemm" else 0
    return transposed == 0 and is_constant(node.inputs[1], rank=2)


def input_axis(product: ir.Node) -> int:
    """The axis of a product's weights that its input's channels lie along."""
    return product.attributes.get_int("transB", 0) if product.op_type == "Gemm" else 0


def is_constant(value: ir.Value | None, rank: int | None = None) -> bool:
    """Whether a value is a float32 constant that can't be fed from outside, of a rank if given."""
    if value is None or value.const_value is None or value.is_graph_input():
        return False
    fits = rank is None or len(value.const_value.shape) == rank
    return value.dtype == ir.DataType.FLOAT and fits


def width(value: ir.Value) -> int | None:
    """The size of a value's last axis, where it is known."""
    last = value.shape[-1] if value.shape is not None and len(value.shape) else None
    return last if isinstance(last, int) else None


def _before(node: ir.Node, channels: int) -> Absorption | None:
    if node.op_type in NORMS:
        return _of_norm(node)
    if is_product(node):
        return _of_product(node)
    if node.op_type in COMMUTING:
        return _through(node, 0, channels)
    if node.op_type == "Mul":
        return _of_one(node, channels)
    return _of_all(node, channels) if node.op_type in ("Add", "Sub") else None


def _through(node: ir.Node, index: int, channels: int) -> Absorption | None:
    value = node.inputs[index]
    if value is None or width(value) != channels:
        return None
    return absorption(value, {(node, index)})


def _of_norm(node: ir.Node) -> Absorption | None:
    places = [Place(node, i) for i, value in enumerate(node.inputs) if i and value is not None]
    # Of rank 1: over more axes than the last, the constants have more.
    fit = all(is_constant(node.inputs[place.index], rank=1) for place in places)
    alone = sum(bool(output.uses()) for output in node.outputs) == 1
    return Absorption(tuple(places)) if fit and alone else None


def _of_product(node: ir.Node) -> Absorption | None:
    weight = Place(node, 1, 1 - input_axis(node))
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is None:
        return Absorption((weight,))
    return Absorption((weight, Place(node, 2))) if is_constant(bias) else None


def _of_one(node: ir.Node, channels: int) -> Absorption | None:
    """Through a Mul: either of its factors may be scaled."""
    for index, value in enumerate(node.inputs):
        if is_constant(value):
            return Absorption((Place(node, index),))
    return _through(node, 0, channels) or _through(node, 1, channels)


def _of_all(node: ir.Node, channels: int) -> Absorption | None:
    """Through an Add or Sub: all of its terms must be scaled."""
    found = Absorption()
    for index, value in enumerate(node.inputs):
        constant = is_constant(value)
        term = Absorption((Place(node, index),)) if constant else _through(node, index, channels)
        if term is None:
            return None
        found += term
    return found
