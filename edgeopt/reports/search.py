"""The page of a search: the trade-off between accuracy and latency, as it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeopt.pipeline.search.budget import Budget, Quality
from edgeopt.pipeline.search.record import Point, SearchRecord
from edgeopt.reports.axes import Axis
from edgeopt.reports.figures import decibels
from edgeopt.reports.file import write_page
from edgeopt.reports.plots import BOTTOM, LEFT, RIGHT, TOP, Mark, Tick
from edgeopt.reports.template import render

_WIDTH, _HEIGHT = 700.0, 300.0


@dataclass(frozen=True)
class TradeOff:
    """The drawing: up what the budget is of, across the latency.

    Args:
        width: Of the drawing.
        height: Of the drawing.
        title: What the vertical axis is.
        ticks: Of the vertical axis.
        numbers: Of the horizontal one.
        threshold: Where the budget lies; None where the drawing doesn't reach.
        marks: A dot for each point whose latency was measured, and for the float model.
        left: Where the plot begins.
        right: How far before the drawing's right edge it ends.
    """

    width: float
    height: float
    title: str
    ticks: tuple[Tick, ...]
    numbers: tuple[Tick, ...]
    threshold: float | None
    marks: tuple[Mark, ...]
    left: float = LEFT
    right: float = RIGHT


def write_search_page(search: SearchRecord, path: str | Path, *, force: bool = False) -> None:
    """Write a search as one HTML file that loads nothing from anywhere.

    Args:
        search: The search.
        path: Where the page goes.
        force: Replace a file that isn't a page of ours.

    Raises:
        OutputError: If it can't be written, or would replace something else.
    """
    write_page(path, search_page(search), force=force)


def search_page(search: SearchRecord) -> str:
    """The page as HTML."""
    return render(
        "search.html",
        {
            "title": "Which layers are spared 8 bits",
            "search": search,
            "chosen": search.point(search.chosen),
            "told": search.budget.told,
            "plot": trade_off(search),
        },
    )


def trade_off(search: SearchRecord) -> TradeOff | None:
    """The drawing; None where no latency was measured."""
    points = [p for p in search.points if p.ratio is not None]
    if not points:
        return None
    values = [v for p in points if (v := _value(p.quality, search.budget)) is not None]
    limit, shown = _limit(search.budget), values or [0.0]
    low, high = min(*shown, limit), max(*shown, limit)
    room = 0.12 * (high - low) or 1.0
    up = Axis(low - room, high + room, _HEIGHT - BOTTOM, TOP)
    latencies = [p.ratio.point for p in points if p.ratio is not None]
    across = Axis(0.0, max(*latencies, 1.0) * 1.08, LEFT, _WIDTH - RIGHT)
    return TradeOff(
        width=_WIDTH,
        height=_HEIGHT,
        title=_title(search.budget),
        ticks=tuple(Tick(up.at(t), _tick(t, search.budget)) for t in up.ticks()),
        numbers=tuple(Tick(across.at(t), f"{t:g}x") for t in across.ticks(8)),
        threshold=up.at(limit),
        marks=tuple(_mark(p, search, up, across) for p in points),
    )


def _mark(point: Point, search: SearchRecord, up: Axis, across: Axis) -> Mark:
    assert point.ratio is not None
    value = _value(point.quality, search.budget)
    count = point.mix.count
    chosen = point.mix == search.chosen
    return Mark(
        across.at(point.ratio.point),
        up.high if value is None else up.at(value),
        f"{count} spared: {decibels(point.quality.sqnr_db)}, {point.ratio.point:.3f} of float32",
        "after marked" if chosen else "after",
        f"{count}" + (" (chosen)" if chosen else ""),
    )


# What the budget is of: the first thing asked, in the units that it is asked in.


def _value(quality: Quality, budget: Budget) -> float | None:
    if budget.max_drop is not None:
        return None if quality.drop is None else -100 * quality.drop
    if budget.min_agreement is not None:
        return None if quality.agreement is None else 100 * quality.agreement
    return quality.sqnr_db


def _limit(budget: Budget) -> float:
    if budget.max_drop is not None:
        return -100 * budget.max_drop
    if budget.min_agreement is not None:
        return 100 * budget.min_agreement
    return budget.min_sqnr or 0.0


def _title(budget: Budget) -> str:
    if budget.max_drop is not None:
        return "accuracy against float's, in percentage points"
    return "agreement with float" if budget.min_agreement is not None else "SQNR in dB"


def _tick(value: float, budget: Budget) -> str:
    if budget.max_drop is not None:
        return f"{value:+.3g}" if value else "0"
    return f"{value:.4g} %" if budget.min_agreement is not None else f"{value:g}"
