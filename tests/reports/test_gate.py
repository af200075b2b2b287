"""What a comparison becomes in CI: Markdown and JUnit's XML, whatever files are called."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as Xml

import msgspec
import pytest

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.gate.verdict import Check, Comparison, Interval, Side, Verdict
from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.benchmarks.result import Kind, Latency, Ratio
from edgeopt.core.manifest import DataRecord
from edgeopt.core.precision import Format
from edgeopt.reports.gate_summary import summary
from edgeopt.reports.junit import junit

NOTHING: Reading[Any] = Reading(absent="made up")
HOSTILE = 'a|b`<script>\n# x"\x1b[31m\x00&.onnx'


def side(name: str) -> Side:
    latency = Latency(10, 1.0, 0.1, 0.9, 1.2, 0.95, 1.0, None, None, (0.95, 0.95))
    return Side(name, "0" * 64, 1000, Format.ONNX, None, RuntimeRecord("ort", "1", ()), latency)


@pytest.fixture
def found() -> Comparison:
    ratio = Ratio(1.051, 1.048, 1.054, 0.982, 5)
    state = Conditions("", *[NOTHING] * 5)
    machine = Machine("Linux", "6", "x86_64", "3.11", *[NOTHING] * 6)
    checks = (
        Check(
            "latency", Verdict.REGRESSION, "3%", "ms", 1.0, 1.051, Interval(1.051, 1.048, 1.054),
            "it is slower than is allowed, whatever chance did",
        ),
        Check("size", Verdict.PASS, "+0%", "bytes", 1000.0, 1000.0),
        Check("load", Verdict.INCONCLUSIVE, "+10%", "ms", 2.0, 2.1, why="load times vary"),
    )  # fmt: skip
    return Comparison(
        Verdict.REGRESSION, checks, side("baseline.onnx"), side("new.onnx"), ratio, ratio, 1.034,
        5, 8.2, Kind.MEASURED, "host", 1, 1, DataRecord("random", "seed 0", None, 1, (0, 1)),
        machine, state, state,
    )  # fmt: skip


def test_the_summary_says_the_verdict_first(found: Comparison) -> None:
    lines = summary(found).splitlines()
    assert lines[0] == r"### ❌ regression: new.onnx beside baseline.onnx"
    assert r"| latency | ❌ regression | 1 ms | 1.05 ms | +5.1% \[+4.8, +5.4\] | 3% |" in lines
    assert "| size | ✅ pass | 1 kB | 1 kB | +0.0% | +0% |" in lines
    assert "- **load**: load times vary" in lines


def test_junit_has_a_case_for_each_check(found: Comparison) -> None:
    suite = Xml.fromstring(junit(found))
    assert suite.attrib["tests"] == "3"
    assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == (
        *("1", "0", "1"),
    )
    failed, passed, skipped = suite
    assert failed.find("failure") is not None
    assert passed.find("failure") is None
    assert skipped.find("skipped") is not None


def test_a_hostile_name_is_nothing_but_text(found: Comparison) -> None:
    spoilt = msgspec.structs.replace(found, candidate=side(HOSTILE))
    (title, *_) = summary(spoilt).splitlines()
    assert "<script>" not in title
    assert "\x1b" not in title
    assert r"a\|b\`" in title
    suite = Xml.fromstring(junit(spoilt))
    assert suite[0].attrib["classname"].startswith("a|b`<script>")
