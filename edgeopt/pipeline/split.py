"""Which samples a conversion calibrates on, and which it verifies on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edgeopt.core.manifest import DataRecord
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import Dataset, Sample, fill_batches
from edgeopt.data.random import RandomDataset

HELD_OUT_MOST = 64


@dataclass(frozen=True)
class Split:
    """Which samples are for what.

    Args:
        evaluation: Verified on.
        specs: The model's inputs.
        first: The first of them.
        calibrated: How many of the calibration samples are calibrated on.
    """

    evaluation: Dataset
    specs: tuple[TensorSpec, ...]
    first: int
    calibrated: int

    def samples(self, most: int | None = None) -> Iterable[Sample]:
        """Those to verify on, at most so many."""
        return fill_batches(self.evaluation.samples(self.first, self._stop(most)), self.specs)

    def record(self, most: int | None = None) -> DataRecord:
        """What the manifest says of them."""
        return self.evaluation.record(self.first, self._stop(most))

    def count(self, most: int | None = None) -> int:
        """How many they are."""
        return self._stop(most) - self.first

    def _stop(self, most: int | None) -> int:
        end = len(self.evaluation)
        return end if most is None else min(end, self.first + most)


def split_data(
    specs: tuple[TensorSpec, ...],
    calibration: Dataset | None,
    evaluation: Dataset | None,
    *,
    hold_out: bool,
) -> Split:
    """Split what was given.

    Args:
        specs: The model's inputs.
        calibration: The calibration data.
        evaluation: What was given to verify on; else it is the last tenth of the calibration data,
            or without any random inputs.
        hold_out: Whether samples that are verified on are left out of the calibration.
    """
    total = len(calibration) if calibration is not None else 0
    if evaluation is not None:
        return Split(evaluation, specs, 0, total)
    if calibration is None:
        return Split(RandomDataset(specs), specs, 0, 0)
    held_out = min(max(total // 10, 1), HELD_OUT_MOST)
    kept = total if total == 1 or not hold_out else total - held_out
    return Split(calibration, specs, total - held_out, kept)
