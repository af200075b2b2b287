"""An Einsum's letters: small ones say the same, and TensorRT reads no others."""

from __future__ import annotations

from edgeopt.core.ir import ir

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def small_letters(graph: ir.Graph) -> None:
    """Write equations with capitals (``BID,BJD->BIJ``, as PyTorch exports them) without.

    Their alphabetical order stays: it is the result's where the equation names none.

    Args:
        graph: Edited; equations of more than 26 letters stay.
    """
    for node in graph.all_nodes():
        if node.op_type == "Einsum" and not node.domain:
            equation = node.attributes.get_string("equation", "") or ""
            used = sorted({letter for letter in equation if letter.isalpha()})
            if equation != equation.lower() and len(used) <= len(_LETTERS):
                small = str.maketrans(dict(zip(used, _LETTERS, strict=False)))
                node.attributes["equation"] = ir.AttrString("equation", equation.translate(small))
