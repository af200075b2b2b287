"""From sums to layers, and which of them stand out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edgeopt.core.manifest import Encoding
from edgeopt.core.precision import Precision
from edgeopt.pipeline.diagnosis.noise import LayerNoise
from edgeopt.pipeline.diagnosis.points import Point
from edgeopt.pipeline.diagnosis.records import LayerDiagnosis, TensorRange
from edgeopt.pipeline.diagnosis.sides import Sums

INTEGER_THRESHOLD = 20.0
"""Noise is a tenth of the signal: convolutional nets agree with float on 9 of 10 first choices."""

INTEGER_CEILING = 50.0
"""The SQNR of 8 bits at their very best: a sine that fills the range, 6.02 * 8 + 1.76 dB."""

FLOAT_CEILING = 80.0
"""The same for float16, whose steps are 1/2048 of a value at most."""


def has_integers(precision: Precision) -> bool:
    """Whether anything in an artifact of this precision is an integer."""
    return precision not in (Precision.FP32, Precision.FP16)


def threshold(precision: Precision) -> float:
    """The SQNR in dB below which a layer counts as fallen off, where the user names none."""
    return INTEGER_THRESHOLD if has_integers(precision) else precision.sqnr_floor


def ceiling(precision: Precision) -> float:
    """The best SQNR in dB that is told apart from an exact one."""
    return INTEGER_CEILING if has_integers(precision) else FLOAT_CEILING


def diagnose_layers(
    points: Iterable[Point], sums: Sums, ceiling_db: float
) -> tuple[LayerDiagnosis, ...]:
    """What the sums say of each layer, in the graph's order."""
    ratios = {name: noise.ratio for name, noise in sums.layers.items()}
    return tuple(_layer(point, sums, ratios, ceiling_db) for point in points)


def first_below(layers: Sequence[LayerDiagnosis], threshold_db: float) -> str | None:
    """The first layer in the graph's order whose SQNR is below the threshold."""
    return next(
        (x.tensor for x in layers if x.sqnr_db is not None and x.sqnr_db < threshold_db), None
    )


def largest_drop(layers: Sequence[LayerDiagnosis]) -> str | None:
    """The layer whose SQNR is furthest below the lowest of the layers before it.

    Both are taken for the ceiling at most: of what is better than that, nothing is lost yet.
    """
    most = max(layers, key=lambda x: x.drop_db, default=None)
    return most.tensor if most is not None and most.drop_db > 0 else None


def noisiest(layers: Sequence[LayerDiagnosis]) -> str | None:
    """The layer whose own noise is the largest part of its output."""
    noisy = [x for x in layers if x.own.total_db is not None]
    return min(noisy, key=lambda x: x.own.total_db or 0.0).tensor if noisy else None


def _layer(
    point: Point, sums: Sums, ratios: Mapping[str, float | None], ceiling_db: float
) -> LayerDiagnosis:
    noise = sums.layers[point.tensor]
    before = [ratios[name] for name in point.before if name in ratios]
    lowest = min((r for r in before if r is not None), default=None)
    return LayerDiagnosis(
        tensor=point.tensor,
        node=point.node,
        op=point.op,
        sqnr_db=noise.ratio,
        input_sqnr_db=lowest,
        drop_db=_capped(lowest, ceiling_db) - _capped(noise.ratio, ceiling_db),
        own=noise.own(),
        range=_range(sums.encodings.get(point.tensor), noise),
        channels=sums.channels[point.tensor].channels(),
        more_bits=point.more_bits,
    )


def _capped(ratio: float | None, ceiling_db: float) -> float:
    # Below 0 dB there is more noise than signal; how much more is no matter.
    return ceiling_db if ratio is None else max(min(ratio, ceiling_db), 0.0)


def _range(encoding: Encoding | None, noise: LayerNoise) -> TensorRange | None:
    if encoding is None:
        return None
    return TensorRange(
        dtype=encoding.dtype,
        scale=encoding.scale[0],
        low=encoding.low,
        high=encoding.high,
        seen_low=noise.low,
        seen_high=noise.high,
    )
