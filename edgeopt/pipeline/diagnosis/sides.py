"""Float graph and artifact side by side: the same samples, every compared tensor of both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding, Manifest
from edgeopt.core.onnx_file import save_whole
from edgeopt.core.progress import Progress
from edgeopt.core.runtime import open_session, run
from edgeopt.data import Sample
from edgeopt.pipeline.diagnosis.alone import Copier
from edgeopt.pipeline.diagnosis.channels import LargestByChannel, channel_axis
from edgeopt.pipeline.diagnosis.columns import ByColumn
from edgeopt.pipeline.diagnosis.counterparts import (
    before_pair,
    expose,
    pairs,
    quantized_values,
    values_of,
)
from edgeopt.pipeline.diagnosis.noise import LayerNoise
from edgeopt.pipeline.diagnosis.points import Point, find_points, linked
from edgeopt.pipeline.inspection.encodings import encoded_tensor
from edgeopt.pipeline.verify import Comparison


@dataclass(frozen=True)
class Sides:
    """The two graphs, written so that every compared tensor is an output.

    Args:
        points: What is compared, in the float graph's order.
        float_path: The float graph.
        float_names: Its tensors, by point.
        alone_names: The outputs of layers alone, by point; layers with integer weights only.
        artifact_path: The artifact.
        artifact_names: Its tensors, one a point.
    """

    points: tuple[Point, ...]
    float_path: Path
    float_names: dict[str, str]
    alone_names: dict[str, str]
    artifact_path: Path
    artifact_names: tuple[str, ...]


@dataclass
class Sums:
    """What is kept of the samples.

    Args:
        encodings: Those of activations, by tensor.
        exact: The model's outputs, with exact sums.
        kernels: The same, with this machine's kernels.
        layers: Noise by tensor.
        channels: The largest values by tensor.
        columns: By tensor, of those that are quantized and go out of the model.
        samples: How many there were.
    """

    encodings: dict[str, Encoding]
    exact: Comparison
    kernels: Comparison
    layers: dict[str, LayerNoise] = field(default_factory=dict)
    channels: dict[str, LargestByChannel] = field(default_factory=dict)
    columns: dict[str, ByColumn] = field(default_factory=dict)
    samples: int = 0

    def add(
        self, point: Point, reference: np.ndarray, found: np.ndarray, alone: np.ndarray | None
    ) -> None:
        """Add one sample of one tensor: the float graph's, the artifact's, the layer's alone."""
        name, encoding = point.tensor, self.encodings.get(point.tensor)
        noise = self.layers.setdefault(name, LayerNoise.empty())
        noise.add(reference, found, alone)
        if encoding is not None:
            noise.rounding.add_integers(reference, encoding)
        elif found.dtype == np.float16:
            noise.rounding.add_halves(reference)
        axis = channel_axis(reference.ndim, point.op)
        self.channels.setdefault(name, LargestByChannel(axis)).add(reference)
        if point.outputs and encoding is not None:
            self.columns.setdefault(name, ByColumn()).add(reference, found)


def prepare(float_path: Path, artifact: Path, scratch: Path) -> Sides:
    """Write both graphs with more outputs.

    Args:
        float_path: The float graph.
        artifact: The artifact.
        scratch: Where they are written.
    """
    reference, made = (ir.load(path, format="protobuf") for path in (float_path, artifact))
    found = {**values_of(made.graph), **quantized_values(made.graph)}
    mine: dict[str, ir.Value] = values_of(reference.graph)
    points = [
        p
        for p in find_points(reference.graph, quantized_values(made.graph).keys())
        if p.tensor in found
    ]
    copier = Copier(reference.graph, made.graph)
    for point, value in _new_tensors(made.graph, mine.keys(), copier):
        points.append(point)
        mine[point.tensor] = value
    points = list(linked(points, found, made.graph))
    alone = copier.layers_alone()
    kept = {p.tensor: alone[p.tensor] for p in points if p.tensor in alone}
    # An input is fed, and no output: its values are the sample's own.
    floats = [mine[p.tensor] for p in points]
    expose(reference.graph, [v for v in (*floats, *kept.values()) if not v.is_graph_input()])
    names = expose(made.graph, [found[p.tensor] for p in points])
    sides = Sides(
        points=tuple(points),
        float_path=scratch / "compared.float.onnx",
        float_names={p.tensor: v.name or "" for p, v in zip(points, floats, strict=True)},
        alone_names={tensor: value.name or "" for tensor, value in kept.items()},
        artifact_path=scratch / "compared.artifact.onnx",
        artifact_names=tuple(names),
    )
    save_whole(reference, sides.float_path)
    save_whole(made, sides.artifact_path)
    return sides


def run_sides(
    sides: Sides,
    artifact: Path,
    manifest: Manifest,
    samples: Iterable[Sample],
    *,
    total: int,
    progress: Progress,
) -> Sums:
    """Run both sides over the samples, one at a time, keeping sums only.

    The artifact's layers are computed with exact sums, whatever this machine's kernels do; those
    run beside them, for the model's outputs.
    """
    sums = Sums(
        activation_encodings(manifest), Comparison(manifest.outputs), Comparison(manifest.outputs)
    )
    reference = open_session(sides.float_path, emulated=True)
    exact = open_session(sides.artifact_path, emulated=True)
    kernels = open_session(artifact)
    outputs = [spec.name for spec in manifest.outputs]
    asked = [*sides.float_names.values(), *sides.alone_names.values(), *outputs]
    for sums.samples, sample in enumerate(samples, 1):
        floats = _run(reference, asked, sample)
        found = _run(exact, [*sides.artifact_names, *outputs], sample)
        for point, name in zip(sides.points, sides.artifact_names, strict=True):
            alone = floats.get(sides.alone_names.get(point.tensor, ""))
            one = floats[sides.float_names[point.tensor]]
            sums.add(point, one, found[name], alone)
        expected = [floats[name] for name in outputs]
        sums.exact.add(expected, [found[name] for name in outputs], sample.origin)
        here = run(kernels, outputs, sample.inputs, sample.origin)
        sums.kernels.add(expected, here, sample.origin)
        progress("comparing layers", sums.samples, total)
    return sums


def activation_encodings(manifest: Manifest) -> dict[str, Encoding]:
    """The encodings that have one scale and can be an activation's, by tensor."""
    return {e.tensor: e for e in manifest.encodings if e.axis is None and len(e.scale) == 1}


def _new_tensors(
    artifact: ir.Graph, known: Collection[str], copier: Copier
) -> Iterator[tuple[Point, ir.Value]]:
    """Quantized tensors that the float graph lacks, and what they are in float."""
    for node in pairs(artifact):
        tensor, before = encoded_tensor(node), before_pair(node)
        producer = before.producer() if before is not None else None
        if before is None or producer is None or tensor in known:
            continue
        point = Point(tensor=tensor, node=producer.name or tensor, op=producer.op_type)
        yield point, copier.value(before)


def _run(session: Any, names: Sequence[str], sample: Sample) -> dict[str, np.ndarray]:
    wanted = [name for name in dict.fromkeys(names) if name not in sample.inputs]
    values = run(session, wanted, sample.inputs, sample.origin)
    return {**sample.inputs, **dict(zip(wanted, values, strict=True))}
