"""Both artifacts, with what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.inputs import batch_size, save_inputs, timing_inputs
from edgeopt.benchmarks.paired import Subject
from edgeopt.benchmarks.plan import Plan
from edgeopt.core.manifest import DataRecord
from edgeopt.pipeline.comparison.fit import called, only_input

if TYPE_CHECKING:
    from edgeopt.data import Dataset

FEW = 8
"""Random samples, where there is no data: their outputs must fit each other at least."""


@dataclass(frozen=True)
class Pair:
    """Both artifacts, and how they are run.

    Args:
        artifacts: The baseline and the candidate.
        data: The same evaluation data, as each takes it; None without any.
        plan: How they are timed.
    """

    artifacts: tuple[Artifact, Artifact]
    data: tuple[Dataset, Dataset] | None
    plan: Plan

    @property
    def names(self) -> tuple[str, str]:
        """What they are called in messages."""
        return self.artifacts[0].name, self.artifacts[1].name

    @property
    def batch(self) -> int:
        """Samples that one call takes."""
        return batch_size(self.artifacts[0], self.plan.batch)

    @property
    def location(self) -> str:
        """Where the data is, for messages."""
        return self._source(0).record().location

    @property
    def inputs(self) -> DataRecord:
        """What both are timed with."""
        return self._source(0).record(0, self.batch)

    def subjects(self, folder: Path) -> tuple[Subject, Subject]:
        """Write what both are timed with into a folder."""
        return self._subject(0, folder / "0.npz"), self._subject(1, folder / "1.npz")

    def judged(self, budgets: Budgets) -> tuple[Dataset, Dataset]:
        """The samples that answers are compared on: the data's, where a budget is about it."""
        asked = budgets.drop, budgets.sqnr, budgets.agreement
        if self.data is not None and any(each is not None for each in asked):
            return self.data
        size = max(FEW, self.batch)
        return self._random(0, size), self._random(1, size)

    def _subject(self, which: int, stored: Path) -> Subject:
        artifact = self.artifacts[which]
        size = batch_size(artifact, self.plan.batch)
        fed = timing_inputs(artifact, self._source(which), artifact.given(), size)
        save_inputs(fed, stored)
        return Subject(artifact, stored)

    def _source(self, which: int) -> Dataset:
        if self.data is not None:
            return self.data[which]
        return self._random(which, batch_size(self.artifacts[which], self.plan.batch))

    def _random(self, which: int, count: int) -> Dataset:
        from edgeopt.data.random import RandomDataset
        from edgeopt.data.renamed import Renamed

        # The numbers depend on the input's name, and must be the same for both.
        artifact, name = self.artifacts[which], only_input(self.artifacts[0])
        data = RandomDataset(called(artifact, name).given(), count, self.plan.seed)
        own = only_input(artifact)
        return data if own in (None, name) else Renamed(data, own)
