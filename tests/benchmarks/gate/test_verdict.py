"""What the parts of a verdict add up to."""

from __future__ import annotations

import pytest

from edgeopt.benchmarks.gate.verdict import Verdict, worst

PASS, OPEN, UNFIT, REGRESSION = Verdict


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
