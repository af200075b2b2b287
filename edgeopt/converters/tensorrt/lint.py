"""TensorRT's rules for quantized graphs, the node named that breaks one.

What its parser refuses is told late and in its own words; worse is what it takes and then computes
in float without a word, or with other integers than were meant. Each rule was tried on the parser
and the builder (1.7.1), and a test tries them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from edgeopt.converters.onnx.weights import channel_axis
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"

_WEIGHTED = frozenset({"Conv", "Gemm", "MatMul"})
_INTEGER_OPS = frozenset(
    {"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"}
)
_TYPES = frozenset(
    {ir.DataType.INT8, ir.DataType.UINT8, ir.DataType.INT4, ir.DataType.FLOAT8E4M3FN}
)
"""What Q gives and DQ takes; uint8 under a rule of its own."""


class Effect(StrEnum):
    """What TensorRT does with a node that breaks a rule."""

    REFUSED = "TensorRT refuses it"
    FLOAT = "TensorRT computes in float there, and doesn't say so"
    CHANGED = "TensorRT reads it as int8, and what is above 127 is lost"


@dataclass(frozen=True)
class Breach:
    """A rule that a node breaks.

    Args:
        node: Its name.
        op: Its operator.
        reason: What is wrong with it.
        effect: What becomes of it.
    """

    node: str
    op: str
    reason: str
    effect: Effect

    def __str__(self) -> str:
        return f"{self.op} {self.node!r}: {self.reason}: {self.effect}"


Rule = Callable[[ir.Node], "tuple[str, Effect] | None"]


def lint(graph: ir.Graph) -> tuple[Breach, ...]:
    """Every breach of a rule in a graph, in its order; a float graph has none."""
    return tuple(_breaches(graph))


def check_rules(graph: ir.Graph, name: str, floating: Set[str] = frozenset()) -> None:
    """Refuse a graph that breaks a rule.

    Args:
        graph: With QDQ pairs, or without.
        name: The model's, for messages.
        floating: Names of nodes that are meant to compute in float.

    Raises:
        UnsupportedError: Names the first node that breaks one, and counts the others.
    """
    found = [b for b in lint(graph) if b.effect is not Effect.FLOAT or b.node not in floating]
    if not found:
        return
    others = f"; {len(found) - 1} more break a rule" if len(found) > 1 else ""
    raise UnsupportedError(
        f"{name}: {found[0]}{others}", hint="quantize it again with `edgeopt convert`"
    )


def _breaches(graph: ir.Graph) -> Iterator[Breach]:
    for node in graph:
        for rule in _RULES:
            found = rule(node)
            if found is not None:
                yield Breach(node.name or "", node.op_type, *found)
                break


def _integer_operator(node: ir.Node) -> tuple[str, Effect] | None:
    if node.op_type in _INTEGER_OPS or (node.domain and node.op_type.startswith("QLinear")):
        return "integer operators are not taken, QuantizeLinear and DequantizeLinear are", (
            Effect.REFUSED
        )
    return None


def _scale(node: ir.Node) -> tuple[str, Effect] | None:
    scale = _parameter(node, 1)
    if node.op_type not in (QUANTIZE, DEQUANTIZE):
        return None
    if scale is None:
        return "its scale is computed at run time", Effect.REFUSED
    if not (np.asarray(scale, np.float64) > 0).all() and not _few_bits(node):
        return "its scale is not positive", Effect.REFUSED
    return None


def _integers(node: ir.Node) -> tuple[str, Effect] | None:
    kind = _integer_type(node)
    if kind is None or node.op_type not in (QUANTIZE, DEQUANTIZE):
        return None
    if kind not in _TYPES:
        bias = ", as a bias has it: leave biases float" if kind == ir.DataType.INT32 else ""
        return f"its integers are {kind.name.lower()}{bias}", Effect.REFUSED
    zero = _parameter(node, 2)
    if zero is not None and np.asarray(zero).any():
        return f"its zero point is {np.asarray(zero).reshape(-1)[0]}, not 0", Effect.REFUSED
    if kind != ir.DataType.UINT8:
        return None
    if node.op_type == DEQUANTIZE and _constant(node.inputs[0]) is not None:
        return "its constants are uint8", Effect.REFUSED
    return "its integers are uint8", Effect.CHANGED


def _whole_activations(node: ir.Node) -> tuple[str, Effect] | None:
    if node.op_type != QUANTIZE or _constant(node.inputs[0]) is not None:
        return None
    scale = _parameter(node, 1)
    if scale is not None and np.ndim(scale) > 0:
        size = np.size(scale)
        many = "a scale for each channel" if size > 1 else "a list of one scale, not a number"
        return f"the activation it quantizes has {many}", Effect.FLOAT
    return None


def _weights(node: ir.Node) -> tuple[str, Effect] | None:
    if node.op_type not in _WEIGHTED or node.domain or _dequantizer(node.inputs[0]) is None:
        return None
    weight = node.inputs[1]
    if _constant(weight) is not None:
        return "its input is quantized and its weights are not", Effect.FLOAT
    pair = _dequantizer(weight)
    scale = None if pair is None else _parameter(pair, 1)
    if pair is None or scale is None or np.size(scale) == 1 or not _is_weight(pair):
        return None
    rank = len(weight.shape) if weight is not None and weight.shape is not None else _rank(pair)
    axis, wanted = pair.attributes.get_int("axis", 1) % rank, channel_axis(node, rank)
    if axis != wanted:
        return f"its weights have scales along axis {axis}, not {wanted}", Effect.FLOAT
    return None


_RULES: tuple[Rule, ...] = (_integer_operator, _scale, _integers, _whole_activations, _weights)


def _parameter(node: ir.Node, index: int) -> np.ndarray | None:
    return _constant(node.inputs[index]) if len(node.inputs) > index else None


def _constant(value: ir.Value | None) -> np.ndarray | None:
    """The array of an initializer or a Constant node, which others' files have; None otherwise."""
    if value is None or value.is_graph_input():
        return None
    if value.const_value is not None:
        return value.const_value.numpy()
    node = value.producer()
    held = None if node is None or node.op_type != "Constant" else node.attributes.get("value")
    return None if held is None else held.as_tensor().numpy()


def _integer_type(node: ir.Node) -> ir.DataType | None:
    """The type of the integers of a Q or DQ, as far as the graph says it."""
    zero = node.inputs[2] if len(node.inputs) > 2 else None
    value = node.inputs[0] if node.op_type == DEQUANTIZE and zero is None else zero
    if value is None:
        return None
    return value.const_value.dtype if value.const_value is not None else value.dtype


def _few_bits(node: ir.Node) -> bool:
    value = node.inputs[0]
    return value is not None and value.dtype in (ir.DataType.INT4, ir.DataType.UINT4)


def _dequantizer(value: ir.Value | None) -> ir.Node | None:
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type == DEQUANTIZE else None


def _is_weight(pair: ir.Node) -> bool:
    """Whether what a DQ takes is a constant, quantized in the file or by a Q before it."""
    if _constant(pair.inputs[0]) is not None:
        return True
    before = None if pair.inputs[0] is None else pair.inputs[0].producer()
    return (
        before is not None
        and before.op_type == QUANTIZE
        and (_constant(before.inputs[0]) is not None)
    )


def _rank(pair: ir.Node) -> int:
    value = pair.inputs[0]
    before = None if value is None else value.producer()
    array = _constant(value if before is None else before.inputs[0])
    return 1 if array is None else array.ndim
