"""What gives a tensor, or a layer, more bits: the options of ``edgeopt convert`` that keep layers.

``--keep-16bit`` takes layers: the output of one that computes between integers, or the input of a
matrix product, which gives floats. A tensor that is neither is read by convolutions only, after
something in float: those are kept float, and it isn't quantized any more.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.counterparts import before_pair
from edgeopt.pipeline.diagnosis.records import Keep

_PRODUCTS = frozenset({"MatMul", "Gemm"})


def keep_float(*nodes: str) -> Keep:
    """Layers kept float."""
    return Keep(nodes, floating=True, options=f"--keep-float {shlex.quote(','.join(nodes))}")


def keep_16bit(node: str) -> Keep:
    """A layer's activations kept at 16 bit."""
    return Keep((node,), floating=False, options=f"--keep-16bit {shlex.quote(node)}")


def more_bits(value: ir.Value) -> Keep | None:
    """What gives a tensor more bits; None where nothing does.

    Args:
        value: What is left of it in the artifact: the output of its pair.
    """
    pair = value.producer()
    before = before_pair(pair) if pair is not None else None
    if before is None:
        return None
    maker = before.producer()
    if maker is not None and maker.op_type not in _PRODUCTS and reads_integers(maker):
        return keep_16bit(maker.name or "")
    readers = [node for node, _ in value.uses()]
    product = next((node for node in readers if node.op_type in _PRODUCTS), None)
    if product is not None:
        return keep_16bit(product.name or "")
    names = _names(readers)
    return keep_float(*names) if names else None


def reads_integers(node: ir.Node) -> bool:
    """Whether all that a node of an artifact reads, constants apart, was integers before."""
    makers = [v.producer() for v in node.inputs if v is not None and v.const_value is None]
    return bool(makers) and all(m is not None and m.op_type == "DequantizeLinear" for m in makers)


def _names(nodes: Iterable[ir.Node]) -> list[str]:
    return list(dict.fromkeys(node.name for node in nodes if node.name))
