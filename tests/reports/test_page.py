"""The page of a diagnosis: whole, safe, and of one file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest

from edgeopt.core.manifest import FloatLayer
from edgeopt.pipeline.diagnosis.records import (
    ColumnGroup,
    DiagnosisResult,
    UnlikeScales,
)
from edgeopt.reports.diagnosis import diagnosis_page

VOID = {"meta", "br", "line", "rect", "circle", "polyline"}
HOSTILE = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Checks that every element is closed, and collects attributes that would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loads += [f"{tag} {k}" for k, _ in attrs if k in ("src", "href", "xlink:href", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {k}" for k, _ in attrs if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_loads_nothing(result: DiagnosisResult) -> None:
    page = diagnosis_page(result)
    reader = read(page)
    assert reader.loads == []
    assert reader.scripts == 1
    assert not re.search(r"https?://|@import|url\(", page)
    assert "default-src 'none'" in page
    for layer in result.layers:
        assert layer.node in page
    assert result.suggestion.because in page
    assert result.sha256 in page
    assert "{{" not in page
    assert "{%" not in page


def test_names_cannot_run(result: DiagnosisResult) -> None:
    layers = tuple(
        msgspec.structs.replace(x, node=HOSTILE, tensor=f"{HOSTILE}{i}")
        for i, x in enumerate(result.layers)
    )
    group = ColumnGroup(((0, 1), (3, 9)), 1.0, None)
    hostile = msgspec.structs.replace(
        result,
        layers=layers,
        artifact=HOSTILE,
        first_below=f"{HOSTILE}1",
        float_layers=(FloatLayer(HOSTILE, HOSTILE, HOSTILE),),
        unlike_scales=(UnlikeScales(HOSTILE, "n", (HOSTILE,), 1, 0.1, group, group),),
        suggestion=msgspec.structs.replace(result.suggestion, because=HOSTILE, options=HOSTILE),
        warnings=(HOSTILE,),
    )
    page = diagnosis_page(hostile)
    assert read(page).scripts == 1
    assert "alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("part", ["layers", "distributions", "weights", "trials", "inserted"])
def test_a_part_that_is_empty_leaves_a_whole_page(result: DiagnosisResult, part: str) -> None:
    page = diagnosis_page(msgspec.structs.replace(result, **{part: ()}))
    assert read(page).loads == []


def test_the_same_diagnosis_gives_the_same_page(result: DiagnosisResult) -> None:
    assert diagnosis_page(result) == diagnosis_page(result)
