"""What the parts of a verdict add up to."""

from __future__ import annotations

import pytest

from edgeopt.benchmarks.gate.chain import Drift, Step
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.benchmarks.gate.quality import Quality
from edgeopt.benchmarks.gate.verdict import (
    Check,
    Comparison,
    DeviceRecord,
    ProcessRatios,
    Side,
    Verdict,
    worst,
)
from edgeopt.core.record import Record

PASS, OPEN, UNFIT, REGRESSION = Verdict


@pytest.mark.parametrize(
    "record", [Check, Comparison, DeviceRecord, Drift, Interval, ProcessRatios, Quality, Side, Step]
)
def test_what_was_found_cannot_be_changed(record: type[Record]) -> None:
    assert record.__struct_config__.frozen


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([], PASS),
        ([PASS, PASS], PASS),
        ([PASS, OPEN], OPEN),
        ([UNFIT, OPEN], UNFIT),
        ([REGRESSION, UNFIT, PASS], REGRESSION),
    ],
)
def test_the_worst_counts(verdicts: list[Verdict], whole: Verdict) -> None:
    assert worst(verdicts) is whole
