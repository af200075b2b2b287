"""The layers of a diagnosis, and their weights."""

from __future__ import annotations

from edgeopt.cli.figures import decibels, plural
from edgeopt.cli.tables import table
from edgeopt.pipeline.diagnosis.records import (
    DiagnosisResult,
    LayerDiagnosis,
    WeightDiagnosis,
)

MOST_LAYERS = 60
MOST_WEIGHTS = 5

_LAYERS = (
    "layer",
    "op",
    "lost to",
    "SQNR",
    "drop",
    "own",
    "weights",
    "range",
    "resolution",
    "clipped",
)
_WEIGHTS = ("weights of", "op", "scales", "SQNR", "spread", "worst channels")


def draw_layers(result: DiagnosisResult, *, everything: bool) -> str:
    """A row a layer, and what the columns are."""
    shown = result.layers if everything else result.layers[:MOST_LAYERS]
    drawn = table(_LAYERS, [_layer(x, result) for x in shown], left=3)
    hidden = len(result.layers) - len(shown)
    if hidden:
        drawn += f"... and {plural(hidden, 'layer')} more: -v or --json has all of them\n"
    return drawn + (
        "\nSQNR is what is left after a layer, drop how far that is below what goes in, own the "
        "noise it adds\nby itself: its weights' rounding, its output's clipping (range) and "
        f"rounding (resolution).\n* below {result.threshold_db:g} dB\n"
    )


def _layer(layer: LayerDiagnosis, result: DiagnosisResult) -> tuple[str, ...]:
    own = layer.own
    below = layer.sqnr_db is not None and layer.sqnr_db < result.threshold_db
    return (
        layer.node,
        layer.op,
        own.cause.value if own.cause else "",
        f"{'*' if below else ''}{_bare(layer.sqnr_db)}",
        f"{layer.drop_db:.1f}" if layer.drop_db > 0 else "",
        _part(own.total_db),
        _part(own.weights_db),
        _part(own.range_db),
        _part(own.resolution_db),
        _share(own.clipped),
    )


def draw_weights(result: DiagnosisResult, *, everything: bool) -> str:
    """The weights that lost most to rounding."""
    worst = sorted(result.weights, key=_lost)
    shown = worst if everything else worst[:MOST_WEIGHTS]
    return table(_WEIGHTS, map(_weight, shown), left=3) if shown else ""


def _lost(weight: WeightDiagnosis) -> float:
    return float("inf") if weight.sqnr_db is None else weight.sqnr_db


def _weight(weight: WeightDiagnosis) -> tuple[str, ...]:
    worst = (f"{c.index}: {decibels(c.sqnr_db)}" for c in weight.worst[:3])
    return (
        weight.node,
        weight.op,
        f"{weight.channels}" if weight.per_channel else "1 for all",
        decibels(weight.sqnr_db),
        f"{weight.spread:.0f}x",
        ", ".join(worst),
    )


def _share(share: float) -> str:
    if not share:
        return ""
    return f"{share:.2%}" if share >= 0.0001 else "<0.01%"


def _bare(ratio: float | None) -> str:
    return "exact" if ratio is None else f"{ratio:.1f}"


def _part(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1f}"
