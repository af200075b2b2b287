"""Arithmetic, comparisons and casts, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import (
    cast,
    combined,
    mapped,
    number_like,
    with_number,
)
from edgeopt.converters.tflite.ops.reductions import reduced, reduced_axes
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_BINARY = {
    "Add": "ADD", "Sub": "SUB", "Mul": "MUL", "Div": "DIV", "Max": "MAXIMUM", "Min": "MINIMUM",
    "Sum": "ADD", "BitwiseXor": "BITWISE_XOR",
}  # fmt: skip
_COMPARING = {
    "Equal": "EQUAL", "Greater": "GREATER", "GreaterOrEqual": "GREATER_EQUAL", "Less": "LESS",
    "LessOrEqual": "LESS_EQUAL", "And": "LOGICAL_AND", "Or": "LOGICAL_OR", "Xor": "NOT_EQUAL",
}  # fmt: skip
_UNARY = {
    "Abs": "ABS", "Ceil": "CEIL", "Cos": "COS", "Exp": "EXP", "Floor": "FLOOR", "Log": "LOG",
    "Neg": "NEG", "Round": "ROUND", "Sin": "SIN", "Sqrt": "SQRT",
}  # fmt: skip


@lowers(*_BINARY, since=7)
def binary(node: ir.Node, lowering: Lowering) -> None:
    """Lower an operator of two or more operands, two at a time."""
    code = _BINARY[node.op_type]
    result = lowering.view(node.inputs[0])
    for other in node.inputs[1:]:
        result = combined(lowering, code, [result, lowering.view(other)])
    lowering.bind(node.outputs[0], result)


@lowers("Mean", since=8)
def mean(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Mean of several values."""
    binary_sum = lowering.view(node.inputs[0])
    for other in node.inputs[1:]:
        binary_sum = combined(lowering, "ADD", [binary_sum, lowering.view(other)])
    lowering.bind(node.outputs[0], with_number(lowering, "DIV", binary_sum, len(node.inputs)))


@lowers(*_COMPARING, since=7)
def comparing(node: ir.Node, lowering: Lowering) -> None:
    """Lower a comparison, or one of truth values."""
    if node.op_type == "Equal" and _all_infinite(node, lowering):
        return
    views = [lowering.view(value) for value in node.inputs]
    result = combined(lowering, _COMPARING[node.op_type], views, dtype=np.bool_)
    lowering.bind(node.outputs[0], result)


def _all_infinite(node: ir.Node, lowering: Lowering) -> bool:
    """Lower ``ReduceMax(x) == -inf``, as attention asks for rows that are masked altogether.

    LiteRT's own kernel begins with the least finite number, and so never gives -inf.
    """
    value, other = node.inputs
    before = None if value is None else value.producer()
    known = lowering.known(other)
    if before is None or before.op_type != "ReduceMax" or known is None:
        return False
    if known.one.size != 1 or known.one.item() != -np.inf:
        return False
    view = lowering.view(before.inputs[0])
    same = combined(
        lowering, "EQUAL", [view, number_like(lowering, view, -np.inf)], dtype=np.bool_
    )  # fmt: skip
    axes = reduced_axes(before, lowering, view.rank)
    keep = bool(before.attributes.get_int("keepdims", 1))
    gone = range(view.rank) if axes is None else axes
    lowering.bind(node.outputs[0], reduced(lowering, same, gone, "REDUCE_ALL", keep=keep))
    return True


@lowers(*_UNARY, since=6)
def unary(node: ir.Node, lowering: Lowering) -> None:
    """Lower an operator of one operand."""
    view = mapped(lowering, _UNARY[node.op_type], lowering.view(node.inputs[0]))
    lowering.bind(node.outputs[0], view)


@lowers("Not")
def negation(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Not."""
    view = mapped(lowering, "LOGICAL_NOT", lowering.view(node.inputs[0]))
    lowering.bind(node.outputs[0], view)


@lowers("Sign")
def sign(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Sign; of integers it is a clamp to [-1, 1]."""
    view = lowering.view(node.inputs[0])
    if view.tensor.dtype == np.float32:
        found = mapped(lowering, "SIGN", view)
    else:
        found = with_number(lowering, "MINIMUM", view, 1)
        if np.issubdtype(view.tensor.dtype, np.signedinteger):
            found = with_number(lowering, "MAXIMUM", found, -1)
    lowering.bind(node.outputs[0], found)


@lowers("Identity")
def identity(node: ir.Node, lowering: Lowering) -> None:
    """The same value under another name."""
    assert node.inputs[0] is not None
    known = lowering.known(node.inputs[0])
    lowering.bound[node.outputs[0]] = known or lowering.view(node.inputs[0])


@lowers("Dropout", since=7)
def dropout(node: ir.Node, lowering: Lowering) -> None:
    """Drop a Dropout, which does nothing when a model runs."""
    training = lowering.constant(node, 2)
    ratio = lowering.constant(node, 1) if training is not None and bool(training) else None
    if training is not None and bool(training) and (ratio is None or float(ratio) != 0):
        raise lowering.unsupported(node, "it drops at random: it is in training mode")
    identity(node, lowering)


@lowers("Reciprocal", since=6)
def reciprocal(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Reciprocal: one divided by it."""
    view = lowering.view(node.inputs[0])
    one = number_like(lowering, view, 1)
    lowering.bind(node.outputs[0], combined(lowering, "DIV", [one, view]))


@lowers("Where")
def where(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Where."""
    views = [lowering.view(value) for value in node.inputs]
    kind = views[1].tensor.dtype
    lowering.bind(node.outputs[0], combined(lowering, "SELECT_V2", views, dtype=kind))


@lowers("Cast", since=6)
def cast_(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Cast; what would be float64 is float32."""
    wanted = np.dtype(ir.DataType(node.attributes.get_int("to")).numpy())
    lowering.check_stored(np.dtype(np.float32) if wanted == np.float64 else wanted, "its result")
    if wanted == np.float64:
        wanted = np.dtype(np.float32)
    view = lowering.view(node.inputs[0])
    if wanted == np.bool_ and view.tensor.dtype != np.bool_:
        found = combined(
            lowering, "NOT_EQUAL", [view, number_like(lowering, view, 0)], dtype=np.bool_
        )
    else:
        found = cast(lowering, view, wanted)
    lowering.bind(node.outputs[0], found)


@lowers("Pow", since=7)
def power(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Pow: common exponents as products and roots, which delegates take."""
    base = lowering.view(node.inputs[0])
    known = lowering.known(node.inputs[1])
    exponent = (
        float(known.one.reshape(-1)[0]) if known is not None and known.one.size == 1 else None
    )
    fits = known is None or known.one.ndim <= base.rank
    found = None
    if exponent is not None and fits:
        found = _simple_power(lowering, base, exponent)
    if found is None:
        kind = base.tensor.dtype
        other = lowering.view(node.inputs[1])
        computed = kind if np.issubdtype(other.tensor.dtype, np.integer) else np.dtype(np.float32)
        pair = [cast(lowering, view, computed) for view in (base, other)]
        found = cast(lowering, combined(lowering, "POW", pair), kind)
    lowering.bind(node.outputs[0], found)


def _simple_power(lowering: Lowering, base: View, exponent: float) -> View | None:
    if exponent == 1:
        return base
    if exponent == 2:
        return combined(lowering, "MUL", [base, base])
    if exponent == 3:
        return combined(lowering, "MUL", [combined(lowering, "MUL", [base, base]), base])
    if base.tensor.dtype != np.float32:
        return None
    if exponent == -1:
        return combined(lowering, "DIV", [number_like(lowering, base, 1), base])
    roots = {0.5: "SQRT", -0.5: "RSQRT"}
    return mapped(lowering, roots[exponent], base) if exponent in roots else None


@lowers("Mod", since=10)
def modulo(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Mod: the sign is the divisor's, or with ``fmod`` the dividend's."""
    left, right = (lowering.view(value) for value in node.inputs)
    if not node.attributes.get_int("fmod", 0):
        lowering.bind(node.outputs[0], combined(lowering, "FLOOR_MOD", [left, right]))
        return
    rest = combined(
        lowering, "FLOOR_MOD", [mapped(lowering, "ABS", left), mapped(lowering, "ABS", right)]
    )
    zero = number_like(lowering, left, 0)
    below = combined(lowering, "LESS", [left, zero], dtype=np.bool_)
    turned = combined(lowering, "SUB", [number_like(lowering, rest, 0), rest])
    found = combined(lowering, "SELECT_V2", [below, turned, rest], dtype=rest.tensor.dtype)
    lowering.bind(node.outputs[0], found)


@lowers("BitShift", since=11)
def bit_shift(node: ir.Node, lowering: Lowering) -> None:
    """Lower a BitShift to the right."""
    if node.attributes.get_string("direction", "") != "RIGHT":
        raise lowering.unsupported(node, "TFLite shifts to the right only")
    views = [lowering.view(value) for value in node.inputs]
    if np.issubdtype(views[0].tensor.dtype, np.signedinteger):
        raise lowering.unsupported(node, "its integers have signs, and might shift by less than 0")
    lowering.bind(node.outputs[0], combined(lowering, "RIGHT_SHIFT", views))


@lowers("IsNaN", since=9)
def is_nan(node: ir.Node, lowering: Lowering) -> None:
    """Lower an IsNaN: it doesn't equal itself."""
    view = lowering.view(node.inputs[0])
    found = combined(lowering, "NOT_EQUAL", [view, view], dtype=np.bool_)
    lowering.bind(node.outputs[0], found)


@lowers("IsInf", since=10)
def is_inf(node: ir.Node, lowering: Lowering) -> None:
    """Lower an IsInf."""
    view = lowering.view(node.inputs[0])
    above = node.attributes.get_int("detect_positive", 1)
    below = node.attributes.get_int("detect_negative", 1)
    if above and below:
        view = mapped(lowering, "ABS", view)
    elif not above and not below:
        view = number_like(lowering, view, 0)
    bound = number_like(lowering, view, -np.inf if below and not above else np.inf)
    shape = lowering.view(node.inputs[0])
    found = combined(lowering, "EQUAL", [view, bound], dtype=np.bool_)
    if found.rank != shape.rank:
        raise lowering.unsupported(node, "it looks for no infinity at all")
    lowering.bind(node.outputs[0], found)
