from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.history.levels import last_chain

if TYPE_CHECKING:
    from tests.benchmarks.history.conftest import Made

ERROR = 0.003


def test_ratios_of_a_chain_are_multiplied(made: Made) -> None:
    chain = [made("a", "b", 1.01), made("b", "c", 1.02), made("b", "d", 1.05)]
    levels = [math.exp(point.level) for point in last_chain(chain)]
    assert levels == pytest.approx([1.01, 1.01 * 1.02, 1.01 * 1.05])


def test_what_links_a_comparison_to_the_first_baseline_errs_too(made: Made) -> None:
    points = last_chain([made("a", "b", 1.0), made("b", "c", 1.0), made("c", "d", 1.0)])
    assert [point.error for point in points] == pytest.approx([ERROR] * 3)
    assert [point.before / ERROR**2 for point in points] == pytest.approx([0, 1, 2])


def test_a_chain_of_another_baseline_is_left_out(made: Made) -> None:
    history = [made("x", "y", 1.5), made("a", "b", 1.01), made("y", "z", 1.5), made("b", "c", 1.0)]
    assert [point.entry.label for point in last_chain(history)] == ["b", "c"]


def test_only_what_was_measured_alike_adds_up(made: Made) -> None:
    history = [
        made("a", "b", 1.01),
        made("a", "c", 1.5, target="rpi5"),
        made("a", "d", 1.5, verdict=Verdict.UNFIT),
        made("a", "e", 1.02),
    ]
    assert [point.entry.label for point in last_chain(history)] == ["b", "e"]


def test_nothing_adds_up_to_nothing(made: Made) -> None:
    assert last_chain([]) == []
    assert last_chain([made("a", "b", 1.0, verdict=Verdict.UNFIT)]) == []
