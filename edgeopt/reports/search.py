"""The page of a search: the trade-off between accuracy and latency, as it was measured."""

from __future__ import annotations

from pathlib import Path

from edgeopt.pipeline.search.record import Point, SearchRecord
from edgeopt.reports.axes import Axis
from edgeopt.reports.file import write_page
from edgeopt.reports.plots import BOTTOM, LEFT, RIGHT, TOP, Mark, Tick
from edgeopt.reports.template import render

_WIDTH, _HEIGHT = 700.0, 260.0


def write_search_page(search: SearchRecord, path: str | Path, *, force: bool = True) -> None:
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
    levels = [p.quality.sqnr_db for p in search.points if p.quality.sqnr_db is not None]
    up = Axis(0.0, max(levels, default=1.0) * 1.1, _HEIGHT - BOTTOM, TOP)
    most = max((len(p.kept) for p in search.points), default=1)
    across = Axis(0.0, max(most, 1), LEFT + 10, _WIDTH - RIGHT - 40)
    return render(
        "search.html",
        {
            "title": "Which layers stay float",
            "search": search,
            "width": _WIDTH,
            "height": _HEIGHT,
            "ticks": [Tick(up.at(t), f"{t:g}") for t in up.ticks()],
            "numbers": [Tick(across.at(t), f"{t:g}") for t in across.ticks(8)],
            "marks": [_mark(p, search, up, across) for p in search.points],
        },
    )


def _mark(point: Point, search: SearchRecord, up: Axis, across: Axis) -> Mark:
    level = point.quality.sqnr_db
    shown = up.high if level is None else level
    latency = "" if point.ratio is None else f", latency {point.ratio.point:.2f} of float32"
    told = f"{len(point.kept)} layers float: {shown:.1f} dB{latency}"
    chosen = point.kept == search.chosen
    label = "" if point.ratio is None else f"{point.ratio.point:.2f}x"
    kind = "after marked" if chosen else "after"
    return Mark(across.at(len(point.kept)), up.at(shown), told, kind, label)
