"""The page of a search."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edgeopt.benchmarks.result import Ratio
from edgeopt.core.errors import OutputError
from edgeopt.core.manifest import DataRecord
from edgeopt.pipeline.search.budget import Budget, Quality
from edgeopt.pipeline.search.record import Arithmetic, Candidate, Mix, Point, SearchRecord
from edgeopt.reports.search import search_page, trade_off, write_search_page

HOSTILE = "<script>alert(1)</script>\"'&"


def ratio(point: float) -> Ratio:
    return Ratio(point, point - 0.01, point + 0.01, 0.95, 5)


ONE, TWO = Mix(("conv1",)), Mix(("conv1",), ("head",))
SEARCH = SearchRecord(
    graph_sha256="0" * 64,
    target="x86-64-vnni",
    budget=Budget(max_drop=0.005, min_sqnr=10.0),
    data=DataRecord("npz", "test.npz", None, 2000, (0, 2000)),
    layers=3,
    candidates=(
        Candidate("conv1", Arithmetic.FLOAT, 0.5, ratio(1.1)),
        Candidate("head", Arithmetic.WIDE, -0.02),
    ),
    float_ratio=ratio(2.0),
    points=(
        Point(Mix(), Quality(20.0, 0.98, 0.90, 0.012), ratio(0.5)),
        Point(ONE, Quality(23.0, 0.99, 0.909, 0.003), ratio(0.6)),
        Point(TWO, Quality(24.0, 0.991, 0.91, 0.002)),
    ),
    chosen=ONE,
    seconds=61.2,
    complete=True,
    emulated=True,
    machine="A CPU",
)


def test_the_page_tells_what_was_found() -> None:
    page = search_page(SEARCH)
    assert "1 of 3 layers spared: a drop of 0.30pp (at most 0.5pp)" in page
    assert "2,000 samples of test.npz" in page
    assert "measured on A CPU" in page
    assert "0.600 [0.590, 0.610]" in page
    assert "at 16 bits <code>head</code>" in page
    assert "90.90 %" in page
    assert "-2.0 %" in page
    assert "ended before" not in page
    assert "{{" not in page


def test_a_dot_for_each_point_that_was_timed() -> None:
    plot = trade_off(SEARCH)
    assert plot is not None
    int8, chosen = plot.marks
    assert (int8.label, chosen.label) == ("0", "1 (chosen)")
    assert int8.x < chosen.x
    # Up is better; only the chosen one is above the budget.
    assert plot.threshold is not None
    assert chosen.y < plot.threshold < int8.y
    assert plot.title == "accuracy against float's, in percentage points"


@pytest.mark.parametrize(
    ("budget", "title"),
    [(Budget(min_sqnr=22.0), "SQNR in dB"), (Budget(min_agreement=0.985), "agreement with float")],
)
def test_what_is_drawn_is_what_was_asked(budget: Budget, title: str) -> None:
    plot = trade_off(msgspec.structs.replace(SEARCH, budget=budget))
    assert plot is not None
    assert plot.title == title
    assert plot.threshold is not None
    assert plot.marks[1].y < plot.threshold < plot.marks[0].y


def test_what_is_exact_lies_on_top() -> None:
    exact = Point(ONE, Quality(None), ratio(0.7))
    search = msgspec.structs.replace(SEARCH, budget=Budget(min_sqnr=30.0), points=(exact,))
    plot = trade_off(search)
    assert plot is not None
    assert plot.threshold is not None
    assert plot.marks[0].y <= plot.threshold


def test_without_latencies_there_is_no_drawing() -> None:
    points = tuple(msgspec.structs.replace(p, ratio=None) for p in SEARCH.points)
    search = msgspec.structs.replace(
        SEARCH, points=points, chosen=None, complete=False, machine="", emulated=False
    )
    page = search_page(search)
    assert "<svg" not in page
    assert "Nothing met the budget" in page
    assert "ended before every layer was asked" in page


def test_names_cannot_run() -> None:
    mix = Mix((HOSTILE,), (HOSTILE,))
    points = (Point(mix, Quality(20.0, 0.98, 0.90, 0.012), ratio(0.5)),)
    candidates = (Candidate(HOSTILE, Arithmetic.FLOAT, 0.5),)
    page = search_page(
        msgspec.structs.replace(
            SEARCH, points=points, candidates=candidates, chosen=mix, machine=HOSTILE
        )
    )
    assert "alert(1)</script>" not in page
    assert page.count("<script>") == 1


def test_a_file_of_someone_elses_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    with pytest.raises(OutputError, match="not written by EdgeOpt"):
        write_search_page(SEARCH, page)
    write_search_page(SEARCH, page, force=True)
    write_search_page(SEARCH, page)
    assert "A CPU" in page.read_text(encoding="utf-8")
