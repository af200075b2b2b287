"""Operators that go element by element over one, two or more tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

_BINARY = {
    "Add": ("ADD", "AddOptions"),
    "Sub": ("SUB", "SubOptions"),
    "Mul": ("MUL", "MulOptions"),
    "Div": ("DIV", "DivOptions"),
    "Pow": ("POW", "PowOptions"),
    "Max": ("MAXIMUM", "MaximumMinimumOptions"),
    "Min": ("MINIMUM", "MaximumMinimumOptions"),
}
_COMPARING = {
    "Equal": ("EQUAL", "EqualOptions"),
    "Greater": ("GREATER", "GreaterOptions"),
    "GreaterOrEqual": ("GREATER_EQUAL", "GreaterEqualOptions"),
    "Less": ("LESS", "LessOptions"),
    "LessOrEqual": ("LESS_EQUAL", "LessEqualOptions"),
    "And": ("LOGICAL_AND", "LogicalAndOptions"),
    "Or": ("LOGICAL_OR", "LogicalOrOptions"),
}
_UNARY = {
    "Abs": ("ABS", "AbsOptions"),
    "Ceil": ("CEIL", None),
    "Cos": ("COS", "CosOptions"),
    "Exp": ("EXP", "ExpOptions"),
    "Floor": ("FLOOR", None),
    "Log": ("LOG", None),
    "Neg": ("NEG", "NegOptions"),
    "Not": ("LOGICAL_NOT", "LogicalNotOptions"),
    "Round": ("ROUND", None),
    "Sign": ("SIGN", "SignOptions"),
    "Sin": ("SIN", None),
    "Sqrt": ("SQRT", None),
}


@lowers(*_BINARY)
def binary(node: ir.Node, lowering: Lowering) -> None:
    """Lower an operator of two or more operands, two at a time."""
    code, table = _BINARY[node.op_type]
    result = lowering.view(node.inputs[0])
    for other in node.inputs[1:]:
        result = combined(lowering, code, [result, lowering.view(other)], Options(table))
    lowering.bind(node.outputs[0], result)


@lowers(*_COMPARING)
def comparing(node: ir.Node, lowering: Lowering) -> None:
    """Lower a comparison, or one of truth values."""
    code, table = _COMPARING[node.op_type]
    views = [lowering.view(value) for value in node.inputs]
    result = combined(lowering, code, views, Options(table), dtype=np.bool_)
    lowering.bind(node.outputs[0], result)


@lowers(*_UNARY)
def unary(node: ir.Node, lowering: Lowering) -> None:
    """Lower an operator of one operand."""
    code, table = _UNARY[node.op_type]
    view = lowering.view(node.inputs[0])
    lowering.bind(node.outputs[0], mapped(lowering, code, view, table))


@lowers("Identity", "Dropout")
def identity(node: ir.Node, lowering: Lowering) -> None:
    """The same value under another name."""
    assert node.inputs[0] is not None
    known = lowering.known(node.inputs[0])
    lowering.bound[node.outputs[0]] = known or lowering.view(node.inputs[0])


@lowers("Reciprocal")
def reciprocal(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Reciprocal: one divided by it."""
    view = lowering.view(node.inputs[0])
    one = View.of(lowering.constant_tensor(np.array(1, np.float32), "one"))
    lowering.bind(node.outputs[0], combined(lowering, "DIV", [one, view], Options("DivOptions")))


@lowers("Where")
def where(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Where."""
    views = [lowering.view(value) for value in node.inputs]
    kind = views[1].tensor.dtype
    result = combined(lowering, "SELECT_V2", views, Options("SelectV2Options"), dtype=kind)
    lowering.bind(node.outputs[0], result)


@lowers("Cast")
def cast(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Cast."""
    view = lowering.view(node.inputs[0])
    wanted = np.dtype(ir.DataType(node.attributes.get_int("to")).numpy())
    if wanted == np.float64:
        wanted = np.dtype(np.float32)
    if view.tensor.dtype == wanted:
        lowering.bind(node.outputs[0], view)
        return
    lowering.bind(node.outputs[0], mapped(lowering, "CAST", view, "CastOptions", dtype=wanted))


def mapped(
    lowering: Lowering, code: str, view: View, table: str | None = None, *, dtype: Any = None,
    fields: dict[str, Any] | None = None,
) -> View:  # fmt: skip
    """One operator over every element, in whatever order they are stored."""
    options = None if table is None else Options(table, fields or {})
    return view.at(lowering.emit(code, [view.tensor], options, dtype=dtype))


def combined(
    lowering: Lowering, code: str, views: list[View], options: Options | None, *, dtype: Any = None
) -> View:
    """One operator over the elements of several values that broadcast (numpy's rules).

    The largest value stays as it is stored; the others follow.
    """
    rank = max(view.rank for view in views)
    wide = [view.expanded(list(range(rank - view.rank))) for view in views]
    shape = tuple(np.broadcast_shapes(*(view.shape for view in wide)))
    order = _common_order(wide)
    tensors = [_trimmed(lowering.stored(view, order)) for view in wide]
    grown = frozenset(axis for view in wide for axis in view.batched)
    output = lowering.emit(
        code, [*tensors], options, shape=tuple(shape[n] for n in order),
        batched=frozenset(n for n, axis in enumerate(order) if axis in grown), dtype=dtype,
    )  # fmt: skip
    return View(output, tuple((order.index(n),) for n in range(rank)))


def _common_order(views: list[View]) -> tuple[int, ...]:
    """The order of the largest one's axes that isn't constant; ONNX's if it has none."""
    running = [view for view in views if not view.tensor.constant] or views
    largest = max(running, key=lambda view: (np.prod(view.shape), view.rank))
    return largest.storage_order() or tuple(range(largest.rank))


def _trimmed(tensor: Tensor) -> Tensor:
    """A constant without leading axes of size 1: broadcasting needs none."""
    if tensor.data is None:
        return tensor
    lead = next((n for n, size in enumerate(tensor.shape) if size != 1), len(tensor.shape))
    per_channel = tensor.quantization is not None and tensor.quantization.axis is not None
    return tensor if not lead or per_channel else tensor.reshaped(tensor.shape[lead:])
