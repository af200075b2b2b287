"""Whether a TFLite artifact means the same to XNNPACK and to LiteRT's built-in kernels.

Both are LiteRT, and which one computes is the device's affair. They round integers in other places
(XNNPACK by a float multiplier, the built-in kernels in fixed point), by a few steps; whatever
differs by more is a mistake in one of them, or in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edgeopt.benchmarks.device.delegation import delegation
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.execution import Run
from edgeopt.core.layout import Layout
from edgeopt.core.litert import LiteRTModel, open_litert
from edgeopt.core.manifest import Delegation, OutputCheck
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.tflite_file import read_tflite
from edgeopt.core.tflite_graph import TfliteFile
from edgeopt.data import Sample
from edgeopt.pipeline.meaning import powers
from edgeopt.pipeline.verify import Comparison

_STEPS = 4.0
"""How many steps of its output's scale an integer model may differ by, in the root mean square.
Single elements were seen to differ by 12, and 4 of them are 36 dB below an output's full range."""

_TOLERANCE = 4.0
"""How much more noise than the artifact's own is still taken for rounding: 6 dB."""

_CLOSE = 1e-8
"""A share of noise that is never looked at: 80 dB."""


@dataclass(frozen=True)
class Kernels:
    """What a comparison found.

    Args:
        delegation: What XNNPACK computes.
        builtin: The built-in kernels' outputs against the float graph's; None where XNNPACK
            computes nothing, or where they can't run it.
        warnings: Outputs that differ by more than rounding.
    """

    delegation: Delegation
    builtin: tuple[OutputCheck, ...] | None = None
    warnings: tuple[str, ...] = ()


def compare_kernels(
    artifact: Path,
    reference: Run,
    samples: Sequence[Sample],
    outputs: Sequence[TensorSpec],
    *,
    layout: Layout,
) -> Kernels:
    """Run an artifact with both.

    Args:
        artifact: The file.
        reference: Runs the float graph.
        samples: A few.
        outputs: The float graph's, in order.
        layout: Of the artifact's image inputs.
    """
    xnnpack = open_litert(artifact, layout=layout)
    taken = msgspec.convert(delegation(xnnpack.interpreter), Delegation)
    if not taken.partitions:
        return Kernels(taken)
    try:
        builtin = open_litert(artifact, layout=layout, xnnpack=False)
    except (ModelError, UnsupportedError) as error:
        return Kernels(taken, None, (f"it needs XNNPACK: without it, {error.message}",))
    comparison = Comparison(outputs)
    sums = np.zeros((len(outputs), 4))
    for sample in samples:
        wanted, fast, plain = _outputs(sample, reference, xnnpack, builtin)
        comparison.add(wanted, plain, sample.origin)
        sums += [(*powers(w, f, p), w.size) for w, f, p in zip(wanted, fast, plain, strict=True)]
    warnings = _warnings(sums, output_steps(read_tflite(artifact)), outputs)
    return Kernels(taken, comparison.checks(), warnings)


def output_steps(file: TfliteFile) -> tuple[float, ...]:
    """The scale that each output's integers have, before they are made float; 0 for a float."""
    writers = {tensor: op for op in file.operators for tensor in op.outputs}
    found = []
    for index in file.outputs:
        writer = writers.get(index)
        if writer is not None and writer.code == "DEQUANTIZE":
            index = writer.inputs[0]
        quantized = file.tensors[index].quantized
        found.append(max(quantized.scale) if quantized is not None else 0.0)
    return tuple(found)


def _outputs(
    sample: Sample, reference: Run, xnnpack: LiteRTModel, builtin: LiteRTModel
) -> list[list[np.ndarray]]:
    args = sample.inputs, sample.origin
    return [reference(*args), xnnpack.run(*args), builtin.run(*args)]


def _warnings(
    sums: np.ndarray, steps: Sequence[float], outputs: Sequence[TensorSpec]
) -> tuple[str, ...]:
    found = []
    for (signal, noise, difference, size), step, spec in zip(sums, steps, outputs, strict=True):
        allowed = max(_TOLERANCE * noise, _CLOSE * signal, size * (_STEPS * step) ** 2)
        if difference > allowed:
            lost = 10 * np.log10(max(signal, 1e-30) / difference)
            found.append(
                f"output {spec.name!r} is another with LiteRT's built-in kernels than with "
                f"XNNPACK, {lost:.1f} dB apart: measure its accuracy on the device"
            )
    return tuple(found)
