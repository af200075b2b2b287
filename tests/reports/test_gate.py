"""What a comparison becomes in CI: Markdown and JUnit's XML, whatever files are called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import msgspec
import pytest

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.benchmarks.gate.verdict import (
    Check,
    Comparison,
    ProcessRatios,
    Side,
    Verdict,
    worst,
)
from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.benchmarks.result import Kind, Latency, Ratio
from edgeopt.core.manifest import DataRecord
from edgeopt.core.precision import Format
from edgeopt.reports.gate_sentence import sentence
from edgeopt.reports.gate_summary import summary
from edgeopt.reports.junit import junit
from edgeopt.reports.workflow_commands import annotation

NOTHING: Reading[Any] = Reading(absent="made up")
GOLDEN = Path(__file__).with_name("golden")
HOSTILE = 'a|b`<script>\n# x"\x1b[31m\x00&.onnx'


def side(name: str) -> Side:
    latency = Latency(10, 1.0, 0.1, 0.9, 1.2, 0.95, 1.0, None, None, (0.95, 0.95))
    return Side(name, "0" * 64, 1000, Format.ONNX, None, RuntimeRecord("ort", "1", ()), latency)


@pytest.fixture
def found() -> Comparison:
    ratio = Ratio(1.051, 1.048, 1.054, 0.982, 5)
    copy = Ratio(1.001, 0.997, 1.005, 0.982, 5)
    each = ((1.052, 1.003), (1.049, 0.996), (1.053, 1.004), (1.05, 0.999), (1.051, 1.003))
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
        Verdict.REGRESSION, checks, side("baseline.onnx"), side("new.onnx"), ratio, copy, 1.034,
        5, 8.2, Kind.MEASURED, "host", 1, 1, DataRecord("random", "seed 0", None, 1, (0, 1)),
        machine, state, state, ratios=tuple(ProcessRatios(*both) for both in each),
    )  # fmt: skip


def test_the_summary_whole(found: Comparison) -> None:
    assert summary(found) == (GOLDEN / "gate_summary.md").read_text(encoding="utf-8")


def test_a_chart_needs_processes(found: Comparison) -> None:
    # A file from before there were ratios in it.
    assert "mermaid" not in summary(msgspec.structs.replace(found, ratios=()))


LATENCY = Check(
    "latency", Verdict.PASS, "3%", "ms", 1.0, 0.8, Interval(0.8, 0.79, 0.815), "20 can't tell"
)
ACCURACY = Check(
    "accuracy", Verdict.REGRESSION, "0.5pp", "share", 0.9, 0.8, Interval(0.1, 0.08, 0.12)
)


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        (
            [LATENCY],
            "new.onnx takes 20.0% less time than baseline.onnx (from -21.0% to -18.5%); "
            "3% more is allowed.",
        ),
        (
            [msgspec.structs.replace(LATENCY, verdict=Verdict.INCONCLUSIVE)],
            "new.onnx takes 20.0% less time than baseline.onnx (from -21.0% to -18.5%), and "
            "3% more is allowed: 20 can't tell.",
        ),
        (
            [msgspec.structs.replace(LATENCY, verdict=Verdict.UNFIT, why="it ran hot")],
            "The machine can't tell: it ran hot.",
        ),
        (
            [LATENCY, ACCURACY, Check("size", Verdict.REGRESSION, "+0%", "bytes", 1e6, 2e6)],
            "The accuracy is 80.00 % (baseline 90.00 %, -10.00pp [-12.00, -8.00]); the budget is "
            "0.5pp. The same holds of: size.",
        ),
        (
            [LATENCY, Check("sqnr", Verdict.REGRESSION, "30 dB", "dB", None, 12.3)],
            "The sqnr is 12.3 dB; the budget is 30 dB.",
        ),
    ],
)
def test_one_sentence_has_the_figures(found: Comparison, checks: list[Check], told: str) -> None:
    verdict = worst(check.verdict for check in checks)
    assert sentence(msgspec.structs.replace(found, checks=checks, verdict=verdict)) == told


@pytest.mark.parametrize(
    ("verdict", "failing", "kind"),
    [
        (Verdict.REGRESSION, False, "error"),
        (Verdict.INCONCLUSIVE, False, "warning"),
        (Verdict.UNFIT, True, "error"),
        (Verdict.PASS, True, "notice"),
    ],
)
def test_an_annotation_is_as_grave_as_the_verdict(
    found: Comparison, verdict: Verdict, failing: bool, kind: str
) -> None:
    told = annotation(msgspec.structs.replace(found, verdict=verdict), failing=failing)
    assert told.startswith(f"::{kind} title={verdict.value}%3A new.onnx::")


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


def test_a_hostile_name_is_no_command(found: Comparison) -> None:
    hostile = "a\n::error::b%0A\r::stop-commands::x\x1b[2J,file=c"
    spoilt = msgspec.structs.replace(found, candidate=side(hostile))
    told = annotation(spoilt, failing=False)
    assert len(told.splitlines()) == 1
    properties, message = re.fullmatch(r"::error ([^:]*)::(.*)", told).groups()  # type: ignore[union-attr]
    assert properties.count("=") == 2  # the title's own, and one that is only text
    assert "," not in properties
    # As the runner undoes it; %25 last, or %250A would become the end of a line.
    undone = message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    assert undone.startswith(hostile.replace("\x1b", "?"))


def test_a_hostile_name_is_nothing_but_text(found: Comparison) -> None:
    spoilt = msgspec.structs.replace(found, candidate=side(HOSTILE))
    (title, *_) = summary(spoilt).splitlines()
    assert "<script>" not in title
    assert "\x1b" not in title
    assert r"a\|b\`" in title
    suite = Xml.fromstring(junit(spoilt))
    assert suite[0].attrib["classname"].startswith("a|b`<script>")
