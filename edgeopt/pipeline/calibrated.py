"""What integer artifacts are made from: a calibration table, and samples for what needs more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edgeopt.calibration.ranges import RangeMethod, default_method
from edgeopt.calibration.selection import chosen, sampling_for
from edgeopt.calibration.table import CalibrationTable
from edgeopt.calibration.table_file import load_table
from edgeopt.core.effort import Effort
from edgeopt.core.errors import DataError
from edgeopt.core.ir import ir
from edgeopt.core.progress import Progress
from edgeopt.data import Sample, fill_batches, picked
from edgeopt.pipeline.calibrate import check_belongs, with_hessians
from edgeopt.pipeline.observation import Share, observed
from edgeopt.pipeline.preparation import Preparation

FEW_SAMPLES = 16


@dataclass(frozen=True)
class Calibrated:
    """The calibration of one conversion; each part is found on first use.

    Args:
        prepared: The model.
        share: The samples that may be calibrated on; None without data.
        path: A table that the user gave.
        asked_effort: None: as much as data and table allow, up to ``default``.
        asked_ranges: None: as suits the net.
        progress: Told how far each step is.
    """

    prepared: Preparation
    share: Share | None
    path: Path | None
    asked_effort: Effort | None
    asked_ranges: RangeMethod | None
    progress: Progress

    @property
    def effort(self) -> Effort:
        """What is done."""
        return self.asked_effort or Effort.DEFAULT

    @cached_property
    def ranges(self) -> RangeMethod:
        """How ranges are chosen."""
        return self.asked_ranges or default_method(ir.load(self.prepared.graph.path).graph)

    @cached_property
    def table(self) -> CalibrationTable:
        """The table, with what the effort needs.

        Raises:
            DataError: If the user's table isn't of this model, or lacks what was asked for and
                there is no data to get it from.
        """
        table = self._observed() if self.path is None else self._given(self.path)
        if self.effort.rounds and not table.hessians:
            assert self.share is not None
            return with_hessians(table, self.prepared, self.share, self.progress)
        return table

    def samples(self) -> Iterator[Sample]:
        """The few samples that corrections look at; none without data."""
        if self.share is None:
            return iter(())
        graph = self.prepared.graph
        return fill_batches(picked(self.share.dataset, self.places), graph.inputs)

    @property
    def places(self) -> list[int]:
        """Which samples those are."""
        return chosen(0, len(self.share), len(self.share)) if self.share else []

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know."""
        found = [*self.table.warnings]
        samples = self.table.header.samples
        if samples < FEW_SAMPLES:
            counted = "1 sample" if samples == 1 else f"{samples} samples"
            found.append(f"calibrated on {counted} only: a few hundred are better")
        if self.share is None and self.effort.corrects:
            found.append(
                "without calibration data, biases are corrected for the weights' rounding only: "
                "give --calibration beside --table for the rest"
            )
        return tuple(found)

    def _observed(self) -> CalibrationTable:
        assert self.share is not None
        return observed(
            self.prepared.graph,
            self.share,
            sampling_for(self.ranges, self.effort, len(self.share)),
            progress=self.progress,
        )

    def _given(self, path: Path) -> CalibrationTable:
        table = load_table(path)
        graph = self.prepared.graph
        check_belongs(table, graph.sha256, path, self.prepared.source.record.location)
        if self.asked_ranges is RangeMethod.MIN_MAX and not table.complete:
            raise DataError(
                f"{path}: holds samples of the activations, not their extremes",
                hint="calibrate with --exact for --ranges min-max",
            )
        if self.share is None and self.effort.rounds and not table.hessians:
            raise DataError(
                f"{path}: lacks what --effort high needs",
                hint="calibrate with --effort high, or give --calibration too",
            )
        if self.share is None and self.asked_effort not in (None, Effort.FAST):
            raise DataError(
                f"{path}: --effort {self.asked_effort} corrects biases on samples, which a table "
                "doesn't hold",
                hint="give --calibration too, or leave --effort out",
            )
        return table
