"""Data under the name that another model has for its only input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from edgeopt.core.manifest import DataRecord
from edgeopt.data.dataset import Dataset, Sample


@dataclass(frozen=True)
class Renamed:
    """A dataset whose samples have one input.

    Args:
        data: The dataset.
        name: What the input is called.
    """

    data: Dataset
    name: str

    @property
    def labelled(self) -> bool:
        """Whether every sample has a label."""
        return self.data.labelled

    def __len__(self) -> int:
        return len(self.data)

    def record(self, start: int = 0, stop: int | None = None) -> DataRecord:
        """What the manifest says of the samples ``[start, stop)``."""
        return self.data.record(start, stop)

    def samples(self, start: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """The samples ``[start, stop)``."""
        for sample in self.data.samples(start, stop):
            (array,) = sample.inputs.values()
            yield replace(sample, inputs={self.name: array})
