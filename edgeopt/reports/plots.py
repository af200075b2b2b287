"""The geometry of a diagnosis' plots, in units of the drawings that the templates make of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeopt.pipeline.diagnosis.records import DiagnosisResult, Distribution, LayerDiagnosis
from edgeopt.pipeline.diagnosis.runtime_records import OpTime
from edgeopt.reports.axes import Axis

LEFT, RIGHT, TOP, BOTTOM = 60, 12, 14, 24
_STEP, _LEAST = 13, 700
_HEIGHT = 230


@dataclass(frozen=True)
class Mark:
    """A dot of a series.

    Args:
        x: Its place.
        y: Its place.
        told: What is shown when the pointer is on it.
        kind: How it is drawn: a CSS class.
        label: Written beside it; mostly nothing.
    """

    x: float
    y: float
    told: str
    kind: str = ""
    label: str = ""


@dataclass(frozen=True)
class Bar:
    """A rectangle.

    Args:
        x: Its left side, in px, as all of these.
        y: Its top.
        width: To the right.
        height: Downwards.
        told: What is shown where it is pointed at.
        kind: The class that gives it its colour.
    """

    x: float
    y: float
    width: float
    height: float
    told: str
    kind: str


@dataclass(frozen=True)
class Tick:
    """A tick of an axis, and its text.

    Args:
        at: Where on the axis, in px.
        text: What is written there.
    """

    at: float
    text: str


@dataclass(frozen=True)
class LayerPlot:
    """A drawing with the layers from left to right.

    Args:
        width: Of the drawing.
        height: Of the drawing.
        ticks: Of the vertical axis.
        numbers: Of the horizontal one.
        left: Where the plot begins.
        right: How far before the drawing's right edge it ends.
        threshold: Where the threshold lies, or None.
        line: The points of a line, as SVG has them.
        marks: Dots.
        bars: Rectangles.
    """

    width: float
    height: float
    ticks: tuple[Tick, ...]
    numbers: tuple[Tick, ...]
    left: float = LEFT
    right: float = RIGHT
    threshold: float | None = None
    line: str = ""
    marks: tuple[Mark, ...] = ()
    bars: tuple[Bar, ...] = ()


def sqnr_plot(result: DiagnosisResult) -> LayerPlot:
    """SQNR after each layer as a line, and each layer's own noise as dots."""
    layers = result.layers
    across = _across(len(layers))
    up = Axis(0.0, result.ceiling_db, _HEIGHT - BOTTOM, TOP)
    names = {
        result.first_below: f"first below {result.threshold_db:g} dB",
        result.largest_drop: "largest drop",
    }
    after = [
        Mark(
            across.at(i),
            up.at(_level(x.sqnr_db, result.ceiling_db)),
            f"{i + 1}. {x.node} ({x.op}): {_told(x.sqnr_db)} after it",
            kind="after marked" if x.tensor in names else "after",
            label=names.get(x.tensor, ""),
        )
        for i, x in enumerate(layers)
    ]
    own = [
        Mark(
            across.at(i),
            up.at(_level(x.own.total_db, result.ceiling_db)),
            f"{i + 1}. {x.node}: {_told(x.own.total_db)} from its own noise",
            kind="own",
        )
        for i, x in enumerate(layers)
        if x.own.total_db is not None
    ]
    return LayerPlot(
        width=_width(len(layers)),
        height=_HEIGHT,
        ticks=tuple(Tick(up.at(t), f"{t:g}") for t in up.ticks(6)),
        numbers=_numbers(across, len(layers)),
        threshold=up.at(result.threshold_db),
        line=" ".join(f"{m.x},{m.y}" for m in after),
        marks=(*own, *after),
    )


def noise_plot(layers: Sequence[LayerDiagnosis]) -> LayerPlot:
    """What each layer adds by itself, as stacked shares of its signal's power."""
    across = _across(len(layers))
    totals = [sum(_parts(x).values()) for x in layers]
    up = Axis(0.0, max(totals, default=0.0) or 1.0, _HEIGHT - BOTTOM, TOP)
    bars: list[Bar] = []
    for i, layer in enumerate(layers):
        base = 0.0
        for kind, part in _parts(layer).items():
            top, bottom = up.at(base + part), up.at(base)
            told = f"{i + 1}. {layer.node}: {kind} {100 * part:.2g} % of the signal's power"
            if bottom > top:
                height = round(bottom - top, 2)
                bars.append(Bar(across.at(i) - _STEP * 0.36, top, _STEP * 0.72, height, told, kind))
            base += part
    return LayerPlot(
        width=_width(len(layers)),
        height=_HEIGHT,
        ticks=tuple(Tick(up.at(t), f"{100 * t:.3g} %") for t in up.ticks()),
        numbers=_numbers(across, len(layers)),
        bars=tuple(bars),
    )


@dataclass(frozen=True)
class Histogram:
    """A drawing of how a tensor's values lie in its range.

    Args:
        tensor: Its name.
        width: Of the drawing.
        height: Of the drawing.
        bars: One a bin with values; the height is logarithmic.
        ends: Where the range begins and ends.
        ticks: Of the horizontal axis.
        outside: How many values lie beyond the range.
    """

    tensor: str
    width: float
    height: float
    bars: tuple[Bar, ...]
    ends: tuple[float, float]
    ticks: tuple[Tick, ...]
    outside: int


def histogram(found: Distribution) -> Histogram:
    """The values of one tensor; bins beyond its range are marked."""
    width, height = 340.0, 150.0
    across = Axis(found.edges[0], found.edges[-1], 10, width - 10)
    up = Axis(0.0, math.log10(1 + max(found.counts, default=1)) or 1.0, height - BOTTOM, 8)
    step = (found.edges[-1] - found.edges[0]) / max(len(found.counts), 1)
    bars = []
    outside = 0
    for low, high, count in zip(found.edges, found.edges[1:], found.counts, strict=False):
        middle = (low + high) / 2
        beyond = middle < found.low or middle > found.high
        outside += count if beyond else 0
        if count:
            top = up.at(math.log10(1 + count))
            left, right = across.at(low), across.at(low + step)
            told = f"{low:.3g} to {high:.3g}: {count:,} values"
            kind = "range" if beyond else "inside"
            box = (left, top, round(right - left, 2), round(height - BOTTOM - top, 2))
            bars.append(Bar(*box, told, kind))
    return Histogram(
        tensor=found.tensor,
        width=width,
        height=height,
        bars=tuple(bars),
        ends=(across.at(found.low), across.at(found.high)),
        ticks=tuple(Tick(across.at(t), f"{t:g}") for t in across.ticks()),
        outside=outside,
    )


@dataclass(frozen=True)
class TimeRow:
    """One operator's bars.

    Args:
        op: The operator.
        y: Where its row begins.
        bars: The float graph's and the artifact's.
        told: The times, in words.
    """

    op: str
    y: float
    bars: tuple[Bar, ...]
    told: str


@dataclass(frozen=True)
class TimePlot:
    """A drawing of the time in each operator.

    Args:
        width: Of all of it, in px.
        height: Likewise.
        rows: One an operator, the slowest first.
    """

    width: float
    height: float
    rows: tuple[TimeRow, ...]


_ROW, _NAMES = 30.0, 190.0
_OPS = 12


def time_plot(ops: Sequence[OpTime]) -> TimePlot:
    """The operators that take longest on either side, two bars each."""
    shown = sorted(ops, key=lambda op: -max(op.float_ms, op.artifact_ms))[:_OPS]
    longest = max((max(op.float_ms, op.artifact_ms) for op in shown), default=1.0) or 1.0
    across = Axis(0.0, longest, 0.0, _LEAST - _NAMES - 150)
    return TimePlot(
        width=_LEAST,
        height=_ROW * len(shown) + 8,
        rows=tuple(_time_row(op, index, across) for index, op in enumerate(shown)),
    )


def _time_row(op: OpTime, index: int, across: Axis) -> TimeRow:
    y = index * _ROW + 4
    sides = (("float graph", op.float_ms, "float"), ("artifact", op.artifact_ms, "artifact"))
    bars = tuple(
        Bar(
            _NAMES,
            y + 11 * i,
            max(across.at(spent), 0.5),
            10.0,
            f"{op.op}, {who}: {spent:.3g} ms",
            kind,
        )
        for i, (who, spent, kind) in enumerate(sides)
        if spent > 0
    )
    told = ", ".join(f"{spent:.3g} ms" if spent else "none" for _, spent, _ in sides)
    return TimeRow(op=op.op, y=y, bars=bars, told=told)


def _parts(layer: LayerDiagnosis) -> dict[str, float]:
    """Each part of a layer's own noise as a share of its signal's power."""
    own = layer.own
    parts = {"weights": own.weights_db, "range": own.range_db, "resolution": own.resolution_db}
    return {k: 0.0 if v is None else min(10 ** (-v / 10), 1.0) for k, v in parts.items()}


def _level(ratio: float | None, ceiling_db: float) -> float:
    return ceiling_db if ratio is None else ratio


def _told(ratio: float | None) -> str:
    return "exact" if ratio is None else f"{ratio:.1f} dB"


def _width(count: int) -> float:
    return float(max(_LEAST, LEFT + RIGHT + _STEP * max(count, 1)))


def _across(count: int) -> Axis:
    last = max(count - 1, 1)
    return Axis(0.0, last, LEFT + _STEP / 2, _width(count) - RIGHT - _STEP / 2)


def _numbers(across: Axis, count: int) -> tuple[Tick, ...]:
    return tuple(Tick(across.at(i), str(i + 1)) for i in range(0, count, 5 if count > 12 else 1))
