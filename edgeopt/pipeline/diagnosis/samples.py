"""The samples that a diagnosis runs on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeopt.core.errors import EdgeOptError
from edgeopt.core.manifest import DataRecord, Manifest
from edgeopt.core.usercode import names_code
from edgeopt.data import Dataset, Sample, fill_batches, open_dataset
from edgeopt.data.random import RandomDataset

EVALUATION, VERIFICATION, CALIBRATION, RANDOM = (
    "evaluation",
    "verification",
    "calibration",
    "random",
)


@dataclass(frozen=True)
class Chosen:
    """Data, and which of its samples.

    Args:
        dataset: The data.
        start: The first sample.
        stop: The one after the last.
        origin: Why these: ``evaluation``, ``verification``, ``calibration`` or ``random``.
        warnings: Why not others.
    """

    dataset: Dataset
    start: int
    stop: int
    origin: str
    warnings: tuple[str, ...] = ()

    def samples(self, manifest: Manifest, most: int | None = None) -> Iterable[Sample]:
        """The samples, or the first of them, as the model takes them."""
        stop = self.stop if most is None else min(self.stop, self.start + most)
        return fill_batches(self.dataset.samples(self.start, stop), manifest.inputs)

    @property
    def count(self) -> int:
        """How many."""
        return self.stop - self.start

    @property
    def record(self) -> DataRecord:
        """What is told of them."""
        return self.dataset.record(self.start, self.stop)


def choose_samples(
    manifest: Manifest, evaluation: Any, count: int, *, code_allowed: bool
) -> Chosen:
    """Choose what to run on.

    What the user gives; else what the artifact was verified on, which it wasn't calibrated on; else
    what it was calibrated on; else random inputs.

    Args:
        manifest: The artifact's.
        evaluation: The user's data, or None.
        count: The most samples.
        code_allowed: False under ``--no-code``.

    Raises:
        DataError: If the user's data isn't there, or doesn't fit.
    """
    if evaluation is not None:
        dataset = open_dataset(
            evaluation, manifest.inputs, manifest.preprocessing, code_allowed=code_allowed
        )
        return Chosen(dataset, 0, min(count, len(dataset)), EVALUATION)
    told: list[str] = []
    for origin, record in _recorded(manifest):
        found = _again(record, manifest, code_allowed)
        if isinstance(found, str):
            told.append(found)
            continue
        start, stop = record.used
        return Chosen(found, start, min(stop, start + count), origin, tuple(told))
    told.append("diagnosed on random inputs, which are not real data: give --evaluation")
    dataset = RandomDataset(manifest.inputs, count)
    return Chosen(dataset, 0, count, RANDOM, tuple(dict.fromkeys(told)))


def _recorded(manifest: Manifest) -> Iterator[tuple[str, DataRecord]]:
    if manifest.verification is not None and manifest.verification.data.kind != "random":
        yield VERIFICATION, manifest.verification.data
    for record in manifest.calibration:
        yield CALIBRATION, record


def _again(record: DataRecord, manifest: Manifest, code_allowed: bool) -> Dataset | str:
    """The data that a manifest speaks of, or why not."""
    if names_code(record.location) and not code_allowed:
        return f"{record.location} was not used, since it would run code"
    if record.kind != "function" and not Path(record.location).exists():
        return f"{record.location} was not used, since it is not there any more"
    try:
        dataset = open_dataset(record.location, manifest.inputs, manifest.preprocessing)
        now = dataset.record()
    except EdgeOptError as error:
        return f"{record.location} was not used: {error.message}"
    if now.sha256 != record.sha256 or now.samples != record.samples:
        return f"{record.location} was not used, since it was changed"
    return dataset
