"""Running the float graph over the samples and folding its activations into a table.

Memory doesn't grow with the samples, and all of the runtime's optimizations stay on.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.calibration.counting import TensorCounter
from edgeopt.calibration.extremes import InputExtremes
from edgeopt.calibration.padding import Padding, padding_of
from edgeopt.calibration.points import channel_axes, observation_points
from edgeopt.calibration.sampling import Samplers, add_samplers
from edgeopt.calibration.table import (
    CalibrationTable,
    ChannelStats,
    Making,
    Sampling,
    TableHeader,
)
from edgeopt.core.cpu import cpu_features
from edgeopt.core.errors import DataError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.ir import ir, passes
from edgeopt.core.onnx_file import save_graph
from edgeopt.core.progress import Progress, silent
from edgeopt.core.runtime import RUNTIME, open_session, run
from edgeopt.core.streaming import each_of
from edgeopt.data import Sample, fixed_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = "all"
GROUPS = 4
"""Groups of tensors that take turns, where they do."""

CHECKPOINT_S = 10.0
"""Time between checkpoints in s: what a killed calibration loses at most."""


def observe(
    graph: FloatGraph,
    samples: Iterable[Sample],
    *,
    points: Sequence[str] | None = None,
    sampling: Sampling = Sampling.PART,
    total: int | None = None,
    done: int = 0,
    progress: Progress = silent,
    checkpoint: Callable[[CalibrationTable], None] | None = None,
) -> CalibrationTable:
    """Observe every tensor that needs a range.

    Args:
        graph: The float graph.
        samples: Run one at a time; every one counts.
        points: The tensors; all that need a range if None. The graph runs as far as they need.
        sampling: Which of a sample's elements are counted.
        total: How many samples there are, for progress.
        done: How many of those were observed before, for progress.
        progress: Told after each sample.
        checkpoint: Given the table of all samples so far, every few seconds.

    Returns:
        The table; its header doesn't tell which data it is of.

    Raises:
        DataError: If there are no samples, a tensor becomes NaN, or a single sample's input is
            absurdly large.
    """
    model = ir.load(graph.path)
    names = observation_points(model.graph) if points is None else tuple(points)
    axes = channel_axes(model.graph)
    counters = {name: TensorCounter(name) for name in names}
    if not names:
        return _table(graph, 0, _making(sampling, [], None), counters)
    batch = fixed_batch(graph.inputs)
    if batch > 1 and sampling is Sampling.GROUPS:
        sampling = Sampling.PART  # which samples share a batch must not decide whose turn it is
    padding = padding_of(model.graph, names)
    probes = _probes(model, graph.path.parent, names, axes, sampling)
    making = _making(sampling, probes, padding)
    extremes = InputExtremes([spec.name for spec in graph.inputs if spec.name in counters])

    def observed(sample: Sample) -> tuple[_Probe, list[NDArray[np.generic]]]:
        probe = probes[_turn(sample) % len(probes)] if len(probes) > 1 else probes[0]
        return probe, run(probe.session, probe.outputs, sample.inputs, sample.origin)

    count, saved = 0, time.monotonic()
    for sample, (probe, values) in each_of(samples, observed):
        count += sample.joined
        extremes.add(sample)
        for one, its in _apart(sample, values, batch):
            probe.count(its, counters, one, padding)
        progress("calibrating", done + count, total)
        if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_S:
            checkpoint(_table(graph, count, making, counters))
            saved = time.monotonic()
    if count == 0:
        raise DataError("no calibration samples", hint="a few hundred are a good start")
    extremes.check()
    return _table(graph, count, making, counters)


def _apart(
    sample: Sample, values: Sequence[NDArray[Any]], batch: int
) -> Iterator[tuple[Sample, Sequence[NDArray[Any]]]]:
    """The samples that share a fixed batch, each with its part of the tensors.

    What they are counted as must not depend on which others they share it with.
    """
    if batch == 1:
        yield sample, values
        return
    for place in range(batch - sample.filled):
        inputs = {n: a[place : place + 1] for n, a in sample.inputs.items()}
        yield Sample(inputs, None, sample.origin), [_entry(v, place, batch) for v in values]


def _entry(value: NDArray[Any], place: int, batch: int) -> NDArray[Any]:
    each, more = divmod(len(value) if value.ndim else 0, batch)
    # A tensor without a batch axis is the same for every sample.
    return value if more or not each else value[place * each : (place + 1) * each]


def _making(sampling: Sampling, probes: Sequence[_Probe], padding: Padding | None) -> Making:
    return Making(
        runtime=RUNTIME,
        level=LEVEL,
        cpu=cpu_features(),
        sampling=sampling,
        strides={n: s for p in probes for n, s in p.samplers.strides.items() if s > 1},
        padding=padding.mask if padding is not None else "",
    )


def _table(
    graph: FloatGraph, count: int, making: Making, counters: Mapping[str, TensorCounter]
) -> CalibrationTable:
    header = TableHeader(graph_sha256=graph.sha256, samples=count, makings=(making,))
    return CalibrationTable(header, {name: c.stats() for name, c in counters.items()})


@dataclass(frozen=True)
class _Probe:
    """A session that gives the values of some tensors.

    Args:
        session: Of the instrumented graph.
        samplers: Its outputs.
        axes: The channels' axis of each tensor whose channels are looked at here, not in the graph.
    """

    session: Any
    samplers: Samplers
    axes: Mapping[str, int]

    @property
    def outputs(self) -> list[str]:
        return [*self.samplers.values.values(), *self.samplers.means.values()]

    def count(
        self,
        values: Sequence[NDArray[Any]],
        counters: Mapping[str, TensorCounter],
        sample: Sample,
        padding: Padding | None,
    ) -> None:
        observed, averaged = self.samplers.values, self.samplers.means
        for name, found in zip(observed, values, strict=False):
            halves = found if padding is None else padding.left_out(name, found, sample.inputs)
            counters[name].add(halves, sample.origin)
            if name in self.axes:
                # Without padding, the batch and the tokens are one axis.
                axis = min(self.axes[name], halves.ndim - 1)
                counters[name].add_channels(_channels(halves, axis))
        for name, means in zip(averaged, values[len(observed) :], strict=True):
            # (N, C, 1, 1): the graph took the means already, but for those of a batch.
            counters[name].add_means(means.mean((0, 2, 3)) if len(means) > 1 else means.reshape(-1))


def _channels(halves: NDArray[np.float16], axis: int) -> ChannelStats:
    wide = halves.astype(np.float32)
    others = tuple(a for a in range(wide.ndim) if a != axis)
    return ChannelStats.of(wide.mean(others, dtype=np.float64), wide.min(others), wide.max(others))


def _probes(
    whole: ir.Model,
    folder: Path,
    names: Sequence[str],
    axes: Mapping[str, int],
    sampling: Sampling,
) -> list[_Probe]:
    """One instrumented graph, or one for each group of tensors, cut after the last of them."""
    groups = min(GROUPS, len(names)) if sampling is Sampling.GROUPS else 1
    found = []
    for part in np.array_split(np.array(names, object), groups):
        model = whole.clone()
        outputs = len(model.graph.outputs)
        samplers = add_samplers(model.graph, list(part), axes, exact=sampling is Sampling.EXACT)
        del model.graph.outputs[:outputs]  # declaring an output is what costs
        passes.RemoveUnusedNodesPass()(model)
        path = folder / "observed.onnx"
        save_graph(model, path)
        session = open_session(path, level=LEVEL, threads=1, shared=groups > 1)
        path.unlink()
        here = {n: a for n, a in axes.items() if n not in samplers.means}
        found.append(_Probe(session, samplers, here))
    return found


def _turn(sample: Sample) -> int:
    """Whose turn it is: decided by the sample's content alone, whatever its place among others."""
    digest = 0
    for name in sorted(sample.inputs):
        array = np.ascontiguousarray(sample.inputs[name]).reshape(-1)
        digest = zlib.crc32(array[:: max(array.size // 4096, 1)].tobytes(), digest)
    return digest
