"""Einsum of one or two operands: as sums, transposes and one matrix product."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeopt.converters.tflite.ops.matrices import batched_product, fully_connected
from edgeopt.converters.tflite.ops.reductions import reduced
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering


@dataclass(frozen=True)
class _Term:
    """An operand and the letter of each of its axes."""

    view: View
    letters: str

    def ordered(self, letters: str) -> View:
        """With its axes in another order."""
        return self.view.permuted(tuple(self.letters.index(x) for x in letters))


@lowers("Einsum", since=12)
def einsum(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Einsum without ``...`` and without a letter twice in one operand."""
    equation = node.attributes.get_string("equation", "").replace(" ", "")
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    if "..." in equation or any(len(set(p)) < len(p) for p in (*parts, right)):
        raise lowering.unsupported(node, f"its equation {equation!r} has '...' or a diagonal")
    if len(parts) > 2:
        raise lowering.unsupported(node, f"it is of {len(parts)} operands; EdgeOpt composes 2")
    if not arrow:
        right = "".join(sorted(x for x in set(left) - {","} if left.count(x) == 1))
    terms = [_Term(lowering.view(v), p) for v, p in zip(node.inputs, parts, strict=True)]
    kept = set(right)
    for n, term in enumerate(terms):
        others = {x for m, other in enumerate(terms) if m != n for x in other.letters}
        terms[n] = _summed(lowering, term, kept | others)
    result = terms[0] if len(terms) == 1 else _product(node, lowering, terms[0], terms[1], right)
    lowering.bind(node.outputs[0], result.ordered(right))


def _summed(lowering: Lowering, term: _Term, kept: set[str]) -> _Term:
    """Without the axes that nothing else names."""
    gone = [n for n, letter in enumerate(term.letters) if letter not in kept]
    if not gone:
        return term
    view = reduced(lowering, term.view, gone, "SUM", keep=False)
    return _Term(view, "".join(x for x in term.letters if x in kept))


def _product(node: ir.Node, lowering: Lowering, a: _Term, b: _Term, right: str) -> _Term:
    if a.view.tensor.constant and not b.view.tensor.constant:
        a, b = b, a
    both = [x for x in a.letters if x in b.letters]
    outer = "".join(x for x in both if x in right)
    inner = "".join(x for x in both if x not in right)
    rows = "".join(x for x in a.letters if x not in b.letters)
    columns = "".join(x for x in b.letters if x not in a.letters)
    grown = {a.letters[n] for n in a.view.batched} | {b.letters[n] for n in b.view.batched}
    if grown & set(inner):
        raise lowering.unsupported(node, "it sums over the batch", "fix the batch with --input")
    left = _grouped(lowering, a, outer, rows, inner)
    if b.view.tensor.constant and not outer:
        found = fully_connected(lowering, left, _grouped(lowering, b, "", columns, inner), None)
    else:
        turned = _grouped(lowering, b, outer, columns, inner)
        swapped = (*range(turned.rank - 2), turned.rank - 1, turned.rank - 2)
        found = batched_product(lowering, left, turned.permuted(swapped))
    split = tuple(
        (*shape[: len(outer)], *(sizes[x] for x in rows + columns))
        for shape, sizes in (
            (found.shape, _sizes(a, b, many=False)), (many_shape(found), _sizes(a, b, many=True))
        )
    )  # fmt: skip
    return _Term(lowering.reshaped(found, *split), outer + rows + columns)


def _sizes(*terms: _Term, many: bool) -> dict[str, int]:
    """The size of each letter, at a batch of 1 or of ``MANY``."""
    shapes = ((t.letters, many_shape(t.view) if many else t.view.shape) for t in terms)
    return {x: d for letters, shape in shapes for x, d in zip(letters, shape, strict=True)}


def _grouped(lowering: Lowering, term: _Term, outer: str, rows: str, inner: str) -> View:
    """``(outer..., rows, inner)``: the axes of each group made one."""
    view = term.ordered(outer + rows + inner)
    ends = (len(outer), len(outer) + len(rows))

    def merged(shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[: ends[0]], math.prod(shape[ends[0] : ends[1]]), math.prod(shape[ends[1] :]))

    return lowering.reshaped(view, merged(view.shape), merged(many_shape(view)))
