"""Budgets as users write them."""

from __future__ import annotations

import pytest

from edgeopt.benchmarks.gate.budgets import read_limit, read_share, read_tail
from edgeopt.core.errors import UsageError


@pytest.mark.parametrize(("said", "share"), [("3%", 0.03), ("0.5 %", 0.005), (0.02, 0.02)])
def test_a_slowdown(said: str | float, share: float) -> None:
    assert read_share(said, "--max-slowdown") == pytest.approx(share)


@pytest.mark.parametrize(
    ("said", "unit", "most"),
    [
        ("5MB", "bytes", 5e6),
        ("1 MiB", "bytes", 2**20),
        ("+10%", "bytes", 110.0),
        ("5ms", "ms", 5.0),
        ("250us", "ms", 0.25),
        ("+0%", "ms", 100.0),
    ],
)
def test_a_limit_beside_a_baseline_of_a_hundred(said: str, unit: str, most: float) -> None:
    assert read_limit(said, unit, "--max-size").most(100) == pytest.approx(most)


def test_a_tail() -> None:
    found = read_tail("p99:10%", "--max-tail")
    assert (found.name, found.quantile, found.slowdown) == ("p99", 0.99, 0.1)


@pytest.mark.parametrize("said", ["", "3", "-3%", "3pp", "nan%", -0.1, float("nan")])
def test_what_is_no_slowdown_is_refused(said: str | float) -> None:
    with pytest.raises(UsageError, match="--max-slowdown is"):
        read_share(said, "--max-slowdown")


@pytest.mark.parametrize("said", ["5", "10%", "+5MB", "5mb", "5 ms", "MB", "1e3MB"])
def test_what_is_no_limit_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="--max-size is"):
        read_limit(said, "bytes", "--max-size")


@pytest.mark.parametrize("said", ["p99", "p95:10%", "10%", "p99:10"])
def test_what_is_no_tail_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="--max-tail is"):
        read_tail(said, "--max-tail")
