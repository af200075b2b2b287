"""What a validation becomes in CI."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from edgeopt.core.manifest import DataRecord
from edgeopt.pipeline.validation.records import DataFigures, DataValidation, Finding, Level
from edgeopt.reports.validation import annotation, junit, sentence, summary

HOSTILE = 'a|b`<script>\n# x"\x1b[31m\x00&.npz'


def found(level: Level, *findings: Finding, name: str = "data.npz") -> DataValidation:
    figures = DataFigures(DataRecord("npz", name, None, 5, (0, 5)), ())
    return DataValidation(level, findings, figures, None, None, None, 1.5)


FINDINGS = (
    Finding("samples", Level.WARN, found="5 samples", limit="at least 10", why="too few"),
    Finding("fits", Level.PASS, "image", found="uint8", limit="image:float32[n]"),
    Finding("finite", Level.FAIL, "image", "evaluation", "2", why="in 2 of 5 samples"),
    Finding("drift", Level.SKIPPED, "image", why="no table"),
)


def test_the_summary_has_the_worst_first() -> None:
    lines = summary(found(Level.FAIL, *FINDINGS)).splitlines()
    assert lines[0] == "### ❌ fail: data.npz"
    assert lines[2] == r"**finite \(evaluation: image\): in 2 of 5 samples.**"
    assert lines[4:7] == [
        r"- ❌ **finite \(evaluation: image\)**: in 2 of 5 samples",
        "- ⚠️ **samples**: too few",
        r"- ❔ **drift \(image\)**: no table",
    ]
    assert r"| fits \(image\) | ✅ pass | uint8 | image:float32\[n\] |" in lines


def test_junit_has_a_case_for_each() -> None:
    suite = Xml.fromstring(junit(found(Level.FAIL, *FINDINGS)))
    counts = [suite.attrib[each] for each in ("tests", "failures", "errors", "skipped", "time")]
    assert counts == ["4", "1", "0", "1", "1.500"]
    ends = [[child.tag for child in case] for case in suite]
    assert ends == [["system-out"], ["system-out"], ["failure"], ["skipped"]]
    assert suite[2][0].attrib["message"] == "fail: in 2 of 5 samples"


@pytest.mark.parametrize(
    ("level", "kind"), [(Level.PASS, "notice"), (Level.WARN, "warning"), (Level.FAIL, "error")]
)
def test_an_annotation_is_as_bad_as_the_result(level: Level, kind: str) -> None:
    told = annotation(found(level, *FINDINGS))
    assert told.startswith(f"::{kind} title={level.value}%3A data.npz::")


def test_a_sentence_names_all_that_failed() -> None:
    assert sentence(found(Level.PASS, *FINDINGS)) == "1 check passed."
    twice = found(Level.FAIL, FINDINGS[2], Finding("blank", Level.FAIL, why="every value is 0"))
    assert sentence(twice).endswith("in 2 of 5 samples. The same holds of: blank.")


def test_a_hostile_name_is_nothing_but_text() -> None:
    spoilt = found(Level.FAIL, Finding("fits", Level.FAIL, HOSTILE, why=HOSTILE), name=HOSTILE)
    assert "<script>" not in summary(spoilt)
    assert "\x1b" not in summary(spoilt)
    assert Xml.fromstring(junit(spoilt)).tag == "testsuite"
    assert "\n" not in annotation(spoilt)
