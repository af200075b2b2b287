"""Functions of one number that LiteRT has no kernel for, composed of those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeopt.converters.tflite.elementwise import (
    combined,
    mapped,
    number_like,
    with_number,
)
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@lowers("Erf", since=9)
def erf(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Erf: Abramowitz and Stegun 7.1.26, whose error is below 1.5e-7."""
    view = lowering.view(node.inputs[0])
    size = mapped(lowering, "ABS", view)
    steep = with_number(lowering, "ADD", with_number(lowering, "MUL", size, 0.3275911), 1)
    t = combined(lowering, "DIV", [number_like(lowering, steep, 1), steep])
    total = number_like(lowering, t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        total = with_number(lowering, "ADD", combined(lowering, "MUL", [total, t]), factor)
    total = combined(lowering, "MUL", [total, t])
    squares = mapped(lowering, "NEG", combined(lowering, "MUL", [view, view]))
    tail = combined(lowering, "MUL", [total, mapped(lowering, "EXP", squares)])
    above = combined(lowering, "SUB", [number_like(lowering, tail, 1), tail])
    # Its sign, which XNNPACK has no operator for: -1 to 1 of what is multiplied beyond all bounds.
    signs = mapped(lowering, "RELU_N1_TO_1", with_number(lowering, "MUL", view, 1e37))
    lowering.bind(node.outputs[0], combined(lowering, "MUL", [signs, above]))


@lowers("Tan", since=7)
def tan(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Tan."""
    view = lowering.view(node.inputs[0])
    pair = [mapped(lowering, "SIN", view), mapped(lowering, "COS", view)]
    lowering.bind(node.outputs[0], combined(lowering, "DIV", pair))


@lowers("Sinh", "Cosh", since=9)
def hyperbolic(node: ir.Node, lowering: Lowering) -> None:
    """Lower ``(exp(x) -+ exp(-x)) / 2``."""
    view = lowering.view(node.inputs[0])
    up = mapped(lowering, "EXP", view)
    down = mapped(lowering, "EXP", mapped(lowering, "NEG", view))
    code = "SUB" if node.op_type == "Sinh" else "ADD"
    both = combined(lowering, code, [up, down])
    lowering.bind(node.outputs[0], with_number(lowering, "MUL", both, 0.5))


@lowers("Atan", "Asin", "Acos", since=7)
def arcs(node: ir.Node, lowering: Lowering) -> None:
    """Lower an arc function by ATAN2."""
    view = lowering.view(node.inputs[0])
    if node.op_type == "Atan":
        pair = [view, number_like(lowering, view, 1)]
    else:
        one = number_like(lowering, view, 1)
        product = combined(
            lowering, "MUL",
            [combined(lowering, "SUB", [one, view]), combined(lowering, "ADD", [view, one])],
        )  # fmt: skip
        root = mapped(lowering, "SQRT", product)
        pair = [view, root] if node.op_type == "Asin" else [root, view]
    if pair[1].tensor.constant:
        # ATAN2 doesn't broadcast.
        zeros = combined(lowering, "MUL", [view, number_like(lowering, view, 0)])
        pair[1] = with_number(lowering, "ADD", zeros, 1)
    lowering.bind(node.outputs[0], combined(lowering, "ATAN2", pair))


@lowers("Asinh", "Acosh", "Atanh", since=9)
def areas(node: ir.Node, lowering: Lowering) -> None:
    """Lower an area function by logarithms."""
    view = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], _AREAS[node.op_type](lowering, view))


def _asinh(lowering: Lowering, view: View) -> View:
    size = mapped(lowering, "ABS", view)
    root = with_number(lowering, "ADD", combined(lowering, "MUL", [view, view]), 1)
    total = combined(lowering, "ADD", [size, mapped(lowering, "SQRT", root)])
    signs = mapped(lowering, "SIGN", view)
    return combined(lowering, "MUL", [signs, mapped(lowering, "LOG", total)])


def _acosh(lowering: Lowering, view: View) -> View:
    root = with_number(lowering, "SUB", combined(lowering, "MUL", [view, view]), 1)
    total = combined(lowering, "ADD", [view, mapped(lowering, "SQRT", root)])
    return mapped(lowering, "LOG", total)


def _atanh(lowering: Lowering, view: View) -> View:
    one = number_like(lowering, view, 1)
    ratio = combined(
        lowering, "DIV",
        [combined(lowering, "ADD", [view, one]), combined(lowering, "SUB", [one, view])],
    )  # fmt: skip
    return with_number(lowering, "MUL", mapped(lowering, "LOG", ratio), 0.5)


_AREAS = {"Asinh": _asinh, "Acosh": _acosh, "Atanh": _atanh}
