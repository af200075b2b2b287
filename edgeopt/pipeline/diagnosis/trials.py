"""Trying changes out: what the artifact would be with one layer, or one tensor, left in float.

An estimate by the layer's own noise ranks layers poorly, since what follows may swallow or amplify
it. So the few that look worst are tried, end to end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edgeopt.core.ir import ir
from edgeopt.core.onnx_file import save_whole
from edgeopt.core.progress import Progress
from edgeopt.core.runtime import open_session, run
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import Sample
from edgeopt.pipeline.diagnosis.freeing import Freeing
from edgeopt.pipeline.diagnosis.keeping import keep_float
from edgeopt.pipeline.diagnosis.records import Cause, Keep, LayerDiagnosis, Trial, worst
from edgeopt.pipeline.verify import Comparison

TRIED = 6
SAMPLES = 32
"""With 8, what a change gains was off by 3 dB: single samples have most of the noise."""


def try_changes(
    layers: Sequence[LayerDiagnosis],
    standing_out: Iterable[str | None],
    paths: tuple[Path, Path],
    samples: Callable[[], Iterable[Sample]],
    outputs: tuple[TensorSpec, ...],
    *,
    ceiling_db: float,
    scratch: Path,
    progress: Progress,
) -> tuple[Trial, ...]:
    """Try the changes that promise most, each by itself.

    A layer may become float, or its output may; for layers that stand out both are tried, for
    others what is against their largest noise.

    Args:
        layers: All layers.
        standing_out: Tensors of layers that are tried whatever their own noise.
        paths: The float graph and the artifact.
        samples: A few, from the beginning each time.
        outputs: The model's outputs.
        ceiling_db: What an exact output counts as.
        scratch: A folder for the changed artifacts.
        progress: Told after each change.

    Returns:
        The trials, the one that gains most first.
    """
    float_path, artifact = paths
    chosen = _candidates(layers, standing_out)
    if not chosen:
        return ()
    expected = _outputs(float_path, samples(), outputs)
    changed = scratch / "changed.onnx"
    base = _compare(artifact, samples(), expected, outputs)
    found = []
    for number, (layer, keep) in enumerate(chosen, 1):
        if _write_changed(paths, keep, layer.tensor, changed):
            ratio = _compare(changed, samples(), expected, outputs)
            gain = _finite(ratio, ceiling_db) - _finite(base, ceiling_db)
            found.append(Trial(layer.tensor, layer.node, keep=keep, sqnr_db=ratio, gain_db=gain))
        progress("trying changes", number, len(chosen))
    return tuple(sorted(found, key=lambda trial: -trial.gain_db))


def _candidates(
    layers: Sequence[LayerDiagnosis], standing_out: Iterable[str | None]
) -> list[tuple[LayerDiagnosis, Keep]]:
    """Layers and what may be done for them, each once: those standing out, then the noisiest."""
    by_name = {layer.tensor: layer for layer in layers}
    first = [by_name[name] for name in dict.fromkeys(standing_out) if name is not None]
    noisy = sorted(
        (x for x in layers if x.own.total_db is not None), key=lambda x: x.own.total_db or 0.0
    )
    found: dict[str, tuple[LayerDiagnosis, Keep]] = {}
    for layer, count in (*((x, 2) for x in first), *((x, 1) for x in noisy)):
        for keep in _ways(layer)[:count]:
            found.setdefault(keep.options, (layer, keep))
    return list(found.values())[:TRIED]


def _ways(layer: LayerDiagnosis) -> list[Keep]:
    """The changes that may help a layer, the one against its largest noise first."""
    ways = [layer.more_bits] if layer.more_bits is not None else []
    if layer.own.weights_db is None:
        return ways
    whole = keep_float(layer.node)
    return [whole, *ways] if layer.own.cause is Cause.WEIGHTS else [*ways, whole]


def _outputs(
    path: Path, samples: Iterable[Sample], outputs: tuple[TensorSpec, ...]
) -> list[list[object]]:
    session, names = open_session(path), [spec.name for spec in outputs]
    return [run(session, names, sample.inputs, sample.origin) for sample in samples]


def _compare(
    path: Path,
    samples: Iterable[Sample],
    expected: list[list[object]],
    outputs: tuple[TensorSpec, ...],
) -> float | None:
    session, names = open_session(path, emulated=True), [spec.name for spec in outputs]
    comparison = Comparison(outputs)
    for sample, reference in zip(samples, expected, strict=True):
        found = run(session, names, sample.inputs, sample.origin)
        comparison.add(reference, found, sample.origin)
    return worst(list(comparison.checks()))


def _finite(ratio: float | None, ceiling_db: float) -> float:
    return ceiling_db if ratio is None else min(ratio, ceiling_db)


def _write_changed(paths: tuple[Path, Path], keep: Keep, tensor: str, changed: Path) -> bool:
    """Write the artifact with a change; False where it can't be made."""
    reference, model = (ir.load(path, format="protobuf") for path in paths)
    made = Freeing(reference.graph, model.graph).apply(keep, tensor)
    if made:
        save_whole(model, changed)
    return made
