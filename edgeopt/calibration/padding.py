"""Padding tokens: what a language model is fed to fill a sequence up, and its mask hides.

They may be most of a batch of short texts (three quarters of MiniLM's calibration set) and look
like nothing that matters. Counted, they shift the channels' means, and biases are corrected for the
wrong tokens: that costs MiniLM 1.2 dB.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edgeopt.core.ir import ir
from edgeopt.core.tensors import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = TypeVar("Values", bound=NDArray[np.generic])

MASKS = ("attention_mask", "input_mask")
"""Names of inputs that are 0 at padding tokens. A ``key_padding_mask``, which says the opposite,
isn't one of them."""


@dataclass(frozen=True)
class Padding:
    """Which tensors hold padding tokens, and the input that tells which these are.

    Args:
        mask: The input's name.
        tokens: The tensors' names.
    """

    mask: str
    tokens: frozenset[str]

    def left_out(self, tensor: str, values: Values, inputs: Batch) -> Values:
        """A tensor's values, ``(tokens, C)`` without padding where it has any."""
        return without_padding(values, inputs[self.mask]) if tensor in self.tokens else values


def padding_of(graph: ir.Graph, names: Iterable[str]) -> Padding | None:
    """The padding in some of a graph's tensors; None if there is none."""
    mask = mask_input(graph)
    tokens = frozenset() if mask is None else token_tensors(graph, mask, names)
    return Padding(mask.name or "", tokens) if mask is not None and tokens else None


def mask_input(graph: ir.Graph) -> ir.Value | None:
    """The graph's input that masks padding, ``(N, T)``; None if it has no such."""
    for value in graph.inputs:
        name = (value.name or "").partition(":")[0]  # TensorFlow's names end in `:0`
        if name in MASKS and value.shape is not None and len(value.shape) == 2:
            return value
    return None


def token_tensors(graph: ir.Graph, mask: ir.Value, names: Iterable[str]) -> frozenset[str]:
    """Those of some tensors that hold a vector for each of the mask's tokens, ``(N, T, C)``."""
    values = {value.name: value for node in graph for value in node.outputs}
    values.update({value.name: value for value in graph.inputs})
    return frozenset(name for name in names if name in values and _is_of(values[name], mask))


def without_padding(values: Values, mask: NDArray[np.generic]) -> Values:
    """The vectors of real tokens.

    Args:
        values: ``(N, T, C)``.
        mask: ``(N, T)``, 0 at padding.

    Returns:
        ``(tokens, C)``; all of them where the mask would leave none.
    """
    real = mask != 0
    if not real.any():
        real = np.ones_like(real)
    result: Values = values[real]
    return result


def _is_of(value: ir.Value, mask: ir.Value) -> bool:
    assert mask.shape is not None
    if value.shape is None or len(value.shape) != 3:
        return False
    known = all(isinstance(d, int) or d.value is not None for d in mask.shape)
    return known and tuple(value.shape[:2]) == tuple(mask.shape)
