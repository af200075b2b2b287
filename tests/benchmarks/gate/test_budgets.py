"""Budgets as users write them."""

from __future__ import annotations

import pytest

from edgeopt.benchmarks.gate.budgets import Budgets, read_limit, read_share, read_tail
from edgeopt.core.errors import UsageError


@pytest.mark.parametrize(
    ("said", "share"), [("3%", 0.03), (" 0.5 % ", 0.005), (0.02, 0.02), (0.0, 0.0), ("0%", 0.0)]
)
def test_a_slowdown(said: str | float, share: float) -> None:
    assert read_share(said, "--max-slowdown") == pytest.approx(share)


@pytest.mark.parametrize(
    ("said", "unit", "most"),
    [
        ("7B", "bytes", 7.0),
        ("7kB", "bytes", 7e3),
        ("5MB", "bytes", 5e6),
        ("0.5GB", "bytes", 5e8),
        ("3KiB", "bytes", 3 * 2**10),
        (" 1 MiB ", "bytes", 2**20),
        ("2GiB", "bytes", 2**31),
        ("+10%", "bytes", 110.0),
        ("5ms", "ms", 5.0),
        ("250us", "ms", 0.25),
        ("2s", "ms", 2000.0),
        ("+0%", "ms", 100.0),
    ],
)
def test_a_limit_beside_a_baseline_of_a_hundred(said: str, unit: str, most: float) -> None:
    assert read_limit(said, unit, "--max-size").most(100) == pytest.approx(most)


def test_a_tail() -> None:
    found = read_tail("p99:10%", "--max-tail")
    assert (found.name, found.quantile, found.slowdown) == ("p99", 0.99, 0.1)
    assert (found.said, read_tail(" p90 : 5 % ", "--max-tail").slowdown) == ("p99:10%", 0.05)


@pytest.mark.parametrize("said", ["", "3", "-3%", "3pp", "nan%", -0.1, float("nan"), float("inf")])
def test_what_is_no_slowdown_is_refused(said: str | float) -> None:
    with pytest.raises(UsageError, match=r"--max-slowdown is .* write it as in"):
        read_share(said, "--max-slowdown")


@pytest.mark.parametrize("said", ["5", "10%", "+5MB", "5mb", "5 ms", "MB", "1e3MB", "0MB"])
def test_what_is_no_limit_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match=r"--max-size is .* write it as in 5MB, or"):
        read_limit(said, "bytes", "--max-size")


def test_a_limit_keeps_what_was_said_and_names_the_units_there_are() -> None:
    assert read_limit(" 5MB ", "bytes", "--max-size").said == "5MB"
    assert read_limit("+5%", "ms", "--max-load").relative
    assert not read_limit("5ms", "ms", "--max-load").relative
    with pytest.raises(UsageError, match=r"20ms, or .* units: us, ms, s"):
        read_limit("5MB", "ms", "--max-load")


def test_nothing_is_checked_but_what_was_asked() -> None:
    others = ("tail", "latency", "memory", "size", "load", "drop", "sqnr", "agreement")
    assert [getattr(Budgets(0.03), name) for name in others] == [None] * 8
    assert Budgets(0.03).sources == {}


@pytest.mark.parametrize("said", ["p99", "p95:10%", "10%", "p99:10"])
def test_what_is_no_tail_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="--max-tail is"):
        read_tail(said, "--max-tail")
