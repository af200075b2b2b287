"""How the values of some tensors lie in their ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeopt.core.runtime import open_session, run
from edgeopt.data import Sample
from edgeopt.pipeline.diagnosis.records import Cause, Distribution, LayerDiagnosis

TENSORS = 4
SAMPLES = 8
_BINS = 64


def worst_ranges(layers: Sequence[LayerDiagnosis]) -> list[LayerDiagnosis]:
    """The quantized tensors that lose most to range or resolution, the worst first."""
    lossy = [x for x in layers if x.range is not None and _lost(x) is not None]
    return sorted(lossy, key=lambda x: _lost(x) or 0.0)[:TENSORS]


def distributions(
    layers: Sequence[LayerDiagnosis],
    float_path: Path,
    names: Mapping[str, str],
    samples: Iterable[Sample],
) -> tuple[Distribution, ...]:
    """Count the values of the worst tensors.

    Args:
        layers: All layers.
        float_path: The float graph with every compared tensor as an output.
        names: What each is called there.
        samples: A few.
    """
    chosen = {layer.tensor: layer for layer in worst_ranges(layers)}
    edges = {name: _edges(layer) for name, layer in chosen.items()}
    counts = {name: np.zeros(_BINS, np.int64) for name in chosen}
    session = open_session(float_path, emulated=True) if chosen else None
    for sample in samples if chosen else ():
        asked = [names[name] for name in chosen if names[name] not in sample.inputs]
        given = run(session, asked, sample.inputs, sample.origin) if asked else []
        values = {**sample.inputs, **dict(zip(asked, given, strict=True))}
        for name in chosen:
            counts[name] += np.histogram(values[names[name]], edges[name])[0]
    return tuple(
        Distribution(
            tensor=name,
            low=layer.range.low,
            high=layer.range.high,
            edges=tuple(map(float, edges[name])),
            counts=tuple(map(int, counts[name])),
        )
        for name, layer in chosen.items()
        if layer.range is not None
    )


def _lost(layer: LayerDiagnosis) -> float | None:
    """The SQNR that range and resolution leave, in dB; None where they take nothing."""
    if layer.own.cause is Cause.WEIGHTS:
        return None
    parts = [x for x in (layer.own.range_db, layer.own.resolution_db) if x is not None]
    return min(parts, default=None)


def _edges(layer: LayerDiagnosis) -> np.ndarray:
    held = layer.range
    assert held is not None
    low, high = min(held.low, held.seen_low), max(held.high, held.seen_high)
    return np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
