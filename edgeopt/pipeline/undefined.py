"""Noticing a model that answers NaN: such answers are equal to anything, and tell nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeopt.core.manifest import DataRecord
from edgeopt.core.tensors import TensorSpec


@dataclass
class Undefined:
    """Counts the batches in which an output holds NaN.

    Args:
        outputs: The model's outputs' specs, in order.
    """

    outputs: Sequence[TensorSpec]
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, answers: Sequence[object]) -> None:
        """Take in the outputs of one batch."""
        for spec, answer in zip(self.outputs, answers, strict=False):
            if np.isnan(np.asarray(answer, np.float64)).any():
                self._counts[spec.name] = self._counts.get(spec.name, 0) + 1

    def warnings(self, data: DataRecord) -> tuple[str, ...]:
        """What the user should know; nothing where every value is a number.

        Args:
            data: What the batches were of.
        """
        real = "are they what it takes?"
        if data.kind == "random":
            real = "give real ones with --evaluation, or fix an input with --input NAME=NUMBER"
        return tuple(
            f"the model as it was given answers NaN in output {name!r}, for {count} of the samples "
            f"it was verified on; NaN beside NaN counts as no difference: {real}"
            for name, count in self._counts.items()
        )
