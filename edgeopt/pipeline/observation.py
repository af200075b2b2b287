"""Observing a float graph on a share of some data; what was interrupted goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeopt.calibration.observer import LEVEL, observe
from edgeopt.calibration.shares import joined_records
from edgeopt.calibration.table import CalibrationTable, Sampling
from edgeopt.calibration.table_file import load_table, save_table
from edgeopt.core.cpu import cpu_features
from edgeopt.core.errors import DataError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.progress import Progress, silent
from edgeopt.core.runtime import RUNTIME
from edgeopt.data import Dataset, fill_batches


@dataclass(frozen=True)
class Share:
    """The samples ``[start, stop)`` of a dataset.

    Args:
        dataset: All of them.
        start: The first of these.
        stop: The one behind the last of these.
    """

    dataset: Dataset
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def observed(
    graph: FloatGraph,
    share: Share,
    sampling: Sampling,
    *,
    begun: CalibrationTable | None = None,
    partial: Path | None = None,
    progress: Progress = silent,
) -> CalibrationTable:
    """The table of a share of a dataset.

    Args:
        graph: The float graph.
        share: The samples.
        sampling: Which of their elements are counted.
        begun: What a run before made of the share's first samples; the others are run.
        partial: Where the table so far is kept every few seconds.
        progress: Told after each sample.
    """
    done = begun.header.samples if begun is not None else 0
    if begun is not None and done == len(share):
        return begun
    rest = Share(share.dataset, share.start + done, share.stop)

    def whole(table: CalibrationTable, samples: int) -> CalibrationTable:
        described = _described(table, rest, samples)
        return described if begun is None else begun.merge(described)

    def keep(table: CalibrationTable) -> None:
        assert partial is not None
        save_table(partial, whole(table, table.header.samples))

    table = observe(
        graph,
        fill_batches(share.dataset.samples(rest.start, rest.stop), graph.inputs),
        sampling=sampling,
        total=len(share),
        done=done,
        progress=progress,
        checkpoint=None if partial is None else keep,
    )
    return whole(table, len(rest))


def _described(table: CalibrationTable, share: Share, samples: int) -> CalibrationTable:
    record = share.dataset.record(share.start, share.start + samples)
    header = msgspec.structs.replace(table.header, samples=samples, data=joined_records([record]))
    return CalibrationTable(header, table.tensors)


def begun_table(
    partial: Path, graph: FloatGraph, share: Share, sampling: Sampling
) -> CalibrationTable | None:
    """What a run that was interrupted left of a share's table; None if there is nothing of use."""
    if not partial.exists():
        return None
    try:
        table = load_table(partial)
    except DataError:
        return None  # it is of no use, and replaced at the next checkpoint
    header = table.header
    known = share.dataset.record(share.start, share.start + header.samples)
    fits = header.graph_sha256 == graph.sha256 and header.data == (known,)
    same = all(
        (m.runtime, m.level, m.cpu, m.sampling) == (RUNTIME, LEVEL, cpu_features(), sampling)
        for m in header.makings
    )
    return table if fits and same and 0 < header.samples <= len(share) else None
