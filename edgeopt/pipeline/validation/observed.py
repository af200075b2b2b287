"""What a model makes of data first, beside what a calibration table remembers of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.observer import observe
from edgeopt.calibration.points import first_points
from edgeopt.calibration.table import CalibrationTable, Sampling
from edgeopt.core.errors import DataError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.ir import ir
from edgeopt.core.progress import Progress
from edgeopt.data import Sample, Stored, fill_batches
from edgeopt.data.fit import fit
from edgeopt.pipeline.validation.drift import Pair


def observed_pairs(
    graph: FloatGraph, table: CalibrationTable, data: Stored, progress: Progress
) -> dict[str, Pair]:
    """The first tensors that the table knows, computed from data; by name.

    Where a model normalizes its input itself, the table has no values of the input, but of what it
    becomes. The graph runs so far and no further. Samples that don't fit are left out: other checks
    tell of them.

    Args:
        graph: The float graph that the table is of.
        table: The table.
        data: The samples.
        progress: Told after each sample.

    Raises:
        DataError: If no sample fits, or a tensor becomes NaN.
    """
    heads = first_points(ir.load(graph.path).graph, table.tensors)
    exact = table.sampling is Sampling.EXACT
    halves: list[dict[str, Histogram]] = []
    for start in range(2):
        # Every other sample; a batch that is fixed is filled from one half.
        fitting = islice(_fitting(data), start, None, 2)
        found = observe(
            graph,
            fill_batches(fitting, graph.inputs),
            points=heads,
            sampling=Sampling.EXACT if exact else Sampling.PART,
            total=len(data),
            done=start * (len(data) // 2),
            progress=progress,
        )
        halves.append({name: stats.histogram for name, stats in found.tensors.items()})
    return {
        name: Pair(table.tensors[name].histogram, (halves[0][name], halves[1][name]))
        for name in heads
    }


def _fitting(data: Stored) -> Iterator[Sample]:
    for entry in data.entries():
        try:
            inputs = {s.name: fit(entry.arrays[s.name], s, entry.origin) for s in data.specs}
        except DataError:
            continue
        yield Sample(inputs, entry.label, entry.origin)
