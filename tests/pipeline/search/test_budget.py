from __future__ import annotations

import pytest

from edgeopt.core.errors import UsageError
from edgeopt.pipeline.parsing import parse_agreement, parse_drop
from edgeopt.pipeline.search.budget import Budget, Quality


@pytest.mark.parametrize(
    ("budget", "quality", "met"),
    [
        (Budget(max_drop=0.005), Quality(20, 0.99, 0.90, 0.005), True),
        (Budget(max_drop=0.005), Quality(20, 0.99, 0.90, 0.0051), False),
        (Budget(max_drop=0.0), Quality(20, 0.99, 0.90, -0.01), True),
        (Budget(max_drop=0.1), Quality(20, 0.99), False),
        (Budget(min_sqnr=20), Quality(20.1), True),
        (Budget(min_sqnr=20), Quality(19.9), False),
        (Budget(min_sqnr=20), Quality(None), True),
        (Budget(min_agreement=0.99, min_sqnr=10), Quality(20, 0.985), False),
        (Budget(min_agreement=0.99), Quality(20, None), False),
    ],
)
def test_all_that_was_asked_must_hold(budget: Budget, quality: Quality, met: bool) -> None:
    assert budget.met(quality) is met


def test_how_it_stands_is_told() -> None:
    budget = Budget(max_drop=0.005, min_sqnr=20, min_agreement=0.99)
    assert budget.told(Quality(18.04, 0.98, 0.9, 0.008)) == (
        "a drop of 0.80pp (at most 0.5pp), 18.0 dB (at least 20), 98.00% agreement (at least 99%)"
    )


def test_values_are_read() -> None:
    assert parse_drop("0.5pp") == 0.005
    assert parse_agreement("99%") == parse_agreement("0.99") == parse_agreement(0.99) == 0.99


@pytest.mark.parametrize("text", ["0.5", "0.5%", "-1pp", "pp", "nanpp", "infpp"])
def test_a_drop_is_in_percentage_points(text: str) -> None:
    with pytest.raises(UsageError, match=r"write 0\.5pp"):
        parse_drop(text)


@pytest.mark.parametrize("text", ["101%", "2", "x%", "-1%"])
def test_an_agreement_is_a_share(text: str) -> None:
    with pytest.raises(UsageError, match="99%"):
        parse_agreement(text)


def test_the_best_is_what_comes_closest_to_what_was_asked() -> None:
    one, two = Quality(20, 0.99, 0.90, 0.02), Quality(19, 0.999, 0.91, 0.01)
    assert Budget(max_drop=0.001).rank(two) > Budget(max_drop=0.001).rank(one)
    assert Budget(min_sqnr=30).rank(one) > Budget(min_sqnr=30).rank(two)
    assert Budget(min_agreement=1.0).rank(two) > Budget(min_agreement=1.0).rank(one)
    assert Budget(min_sqnr=30).rank(Quality(None)) > Budget(min_sqnr=30).rank(one)


def test_a_floor_holds_where_no_sqnr_was_asked() -> None:
    assert Budget(max_drop=0.1).with_floor(10) == Budget(max_drop=0.1, min_sqnr=10)
    assert Budget(min_sqnr=5).with_floor(10) == Budget(min_sqnr=5)
