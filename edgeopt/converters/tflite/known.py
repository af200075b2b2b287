"""What of a graph doesn't depend on the values of its inputs: constants, and arithmetic on shapes.

Exporters leave shapes to run time (``Shape``, ``Gather``, ``Concat``, ``Reshape``). Such values are
computed twice, at a batch of 1 and at one of ``MANY``: where the two are equal it is a constant,
and where they differ it is the batch that decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.evaluation import evaluate
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_LARGEST = 1 << 24
"""Elements of what is computed ahead, at most: an Expand by a batch of MANY need not be."""


@dataclass(frozen=True, eq=False)
class Known:
    """A value that is known before the model runs.

    Args:
        one: At batch 1.
        many: At a batch of ``MANY``; the same array where the batch has no say.
    """

    one: Array
    many: Array

    @staticmethod
    def constant(array: Array) -> Known:
        """One that the batch has no say in."""
        return Known(array, array)

    @property
    def fixed(self) -> bool:
        """Whether the batch has no say in it."""
        return self.one is self.many or np.array_equal(self.one, self.many, equal_nan=True)


def evaluated(node: ir.Node, inputs: Sequence[Known | None], name: str) -> list[Known] | None:
    """What a node gives whose inputs are all known; None if it is too large to compute ahead.

    Args:
        node: Of the standard operators.
        inputs: Known values; None where an optional one is left out.
        name: The model's, for messages.

    Raises:
        ModelError: If the node fails on its inputs.
        UnsupportedError: If it can't be computed ahead.
    """
    if node.op_type in ("RandomNormal", "RandomUniform", "Multinomial", "Bernoulli"):
        return None
    one = evaluate(node, [None if k is None else k.one for k in inputs], name)
    if all(k is None or k.fixed for k in inputs):
        return [Known.constant(array) for array in one]
    if sum(array.size for array in one) > _LARGEST // 4096:
        return None
    many = evaluate(node, [None if k is None else k.many for k in inputs], name)
    return [Known(a, b) for a, b in zip(one, many, strict=True)]
