"""Post-activation bias correction: the mean of what each clamp lets through is the float model's.

Rounding moves the mean of a layer's output. The analytic correction (``calibration.bias``) takes
off what the rounding of its own weights adds before the activation. What is left comes through the
clamp, which cuts noise off on one side only, and from the layers before; and a mean that is off is
off at every place at once, so that it adds up over a net as noise does not. Here each clamped
layer's bias, in the graph's order, those before it already moved, is moved until ``E[clamp(y)]`` of
the quantized model equals the float model's, channel by channel. It is the empirical bias
correction of Nagel 2019 ("Data-Free Quantization Through Weight Equalization and Bias Correction",
appendix D) taken behind the clamp: before it, what is far beyond the clamp would dominate the mean.

The quantized model runs as its unsigned twin, part by part, and each layer once more at a few
places, into integers that reach beyond its clamp. All of that is integer arithmetic: the number of
threads changes nothing, nor does the machine, but for how its float kernels round the float means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.padding import Padding, padding_of
from edgeopt.converters.onnx.clamped import ClampedLayer, clamped_layers, constant
from edgeopt.converters.onnx.probing import by_channel, picked, probe_of, stride_of
from edgeopt.converters.onnx.stepwise import Stepwise, open_part
from edgeopt.converters.onnx.unsigned import unsigned_twin
from edgeopt.core.ir import ir
from edgeopt.core.progress import Progress, silent
from edgeopt.core.runtime import run
from edgeopt.core.streaming import each_of
from edgeopt.data import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Means = NDArray[np.float64]

MOST = 32
"""Samples that are used. EfficientNet-Lite0, SQNR in dB with 0, 8, 16, 32, 64: 18.0, 22.3, 22.9,
23.2, 23.4."""
FEWEST = 4
"""With fewer, how far the samples agree can't be told."""
HELD = 128 << 20
"""Bytes that all samples' outputs of one layer may take; of large outputs, fewer are used."""
DOUBT = 2.0
"""How much a drift must stand out of its own standard error; see :func:`_agreed`."""
STEPS, DAMPING, LEAST_SLOPE = 2, 0.9, 0.1


def correct_means(
    float_graph: Path,
    quantized: ir.Model,
    samples: Iterable[Sample],
    *,
    scratch: Path,
    progress: Progress = silent,
) -> int:
    """Move the bias of every layer with integer weights whose output is clamped.

    That is a Conv, a Gemm, or a MatMul with the Add of a constant after it, when a Relu or Clip
    alone reads it in the float graph. Others keep the analytic correction, which is exact for them
    once the means of what they read are right.

    Args:
        float_graph: What ``quantized`` was made from: a node has the same name in both.
        quantized: The finished QDQ model, weights and ranges final; its biases are edited.
        samples: The first ``MOST`` are used, fewer where outputs are large; under ``FEWEST`` none.
        scratch: A folder for parts of the models.
        progress: Told after each layer.

    Returns:
        How many layers' biases changed.

    Raises:
        DataError: If a model fails on a sample.
    """
    floats = ir.load(float_graph)
    layers = clamped_layers(floats.graph, quantized.graph)
    if not layers:
        return 0
    padding = padding_of(floats.graph, [layer.activation.name or "" for layer in layers])
    used, wanted = _float_means(floats, layers, samples, padding, float_graph.parent)
    if len(used) < FEWEST:
        return 0
    ir.external_data.load_to_model(quantized)
    twin = unsigned_twin(ir.to_proto(quantized))
    goals = [layer.node.inputs[0].name or "" for layer in layers]  # type: ignore[union-attr]
    walk = Stepwise(twin, used, goals, scratch)
    changed = 0
    for index, layer in enumerate(layers):
        probe = probe_of(layer)
        outputs = walk.run(probe.nodes, probe.constants)
        found = [
            probe.real(_rows(output, layer, sample, padding))
            for output, sample in zip(outputs, used, strict=True)
        ]
        if layer.bias.move(bias_shift(found, wanted[index], layer.low, layer.high)):
            walk.replace(layer.bias.value.name or "", constant(layer.bias.value))
            changed += 1
        progress("correcting biases", index + 1, len(layers))
    return changed


def bias_shift(found: Sequence[Floats], wanted: Means, low: float, high: float) -> Means:
    """What to add to a layer's bias so that ``E[clamp(y + shift)]`` becomes what is wanted.

    Newton's method; the slope is the share of places that aren't clamped.

    Args:
        found: The layer's output before the clamp, ``(C, places)`` for each sample.
        wanted: The float model's means after the clamp, ``(samples, C)``.
        low: Where the clamp cuts off.
        high: Likewise.

    Returns:
        ``(C,)``; 0 where no shift brings the mean nearer.
    """
    output = np.concatenate(found, axis=1)
    clamped = np.clip(output, low, high)
    ends = np.cumsum([each.shape[1] for each in found])[:-1]
    means = [part.mean(1, dtype=np.float64) for part in np.split(clamped, ends, axis=1)]
    missing = _agreed(wanted - np.array(means))
    goal = clamped.mean(1, dtype=np.float64) + missing
    shift, left, moved = np.zeros(len(output)), missing, output.copy()
    for _ in range(STEPS):
        inside = np.count_nonzero(clamped == moved, axis=1) / moved.shape[1]
        shift += DAMPING * left / np.maximum(inside, LEAST_SLOPE)
        np.add(output, shift.astype(np.float32)[:, None], out=moved)
        np.clip(moved, low, high, out=clamped)
        left = goal - clamped.mean(1, dtype=np.float64)
    return np.where(np.abs(left) < np.abs(missing), shift, 0.0)


def _agreed(drifts: Means) -> Means:
    """Of the samples' drifts, ``(samples, C)``, the part of the mean that they agree on, ``(C,)``.

    ``m * m^2 / (m^2 + DOUBT v)``, with ``v`` the variance of the mean: what a handful of samples
    says by chance must not become a bias.
    """
    mean = drifts.mean(0)
    doubt = DOUBT * drifts.var(0, ddof=1) / len(drifts)
    agreed: Means = mean**3 / np.maximum(mean**2 + doubt, np.finfo(np.float64).tiny)
    return agreed


def _rows(
    output: NDArray[np.generic], layer: ClampedLayer, sample: Sample, padding: Padding | None
) -> NDArray[np.generic]:
    """A layer's output for one sample as ``(C, places)``, without padding tokens."""
    if padding is not None:
        output = padding.left_out(layer.activation.name or "", output, sample.inputs)
    return by_channel(output, layer.axis)


def _float_means(
    model: ir.Model,
    layers: Sequence[ClampedLayer],
    samples: Iterable[Sample],
    padding: Padding | None,
    folder: Path,
) -> tuple[list[Sample], list[Means]]:
    """The samples to use, and for each layer the float means after the clamp, ``(samples, C)``."""
    values = [picked(model.graph, layer) for layer in layers]
    model.graph.outputs.extend(v for v in values if not v.is_graph_output())
    names = [value.name or "" for value in values]
    session = open_part(ir.to_proto(model), folder)

    def outputs(sample: Sample) -> list[Floats]:
        return run(session, names, sample.inputs, sample.origin)

    used: list[Sample] = []
    means: list[list[Means]] = []
    most = MOST
    for sample, found in each_of(islice(samples, MOST), outputs):
        used.append(sample)
        rows = [_rows(y, layer, sample, padding) for y, layer in zip(found, layers, strict=True)]
        means.append([row.mean(1, dtype=np.float64) for row in rows])
        sizes = (
            y.size * stride_of(layer) ** (y.ndim - 2)
            for y, layer in zip(found, layers, strict=True)
        )
        most = min(most, max(FEWEST, HELD // max(*sizes, 1)))
        if len(used) >= most:
            break
    return used, [np.array(each) for each in zip(*means, strict=True)]
