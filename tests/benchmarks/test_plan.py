from __future__ import annotations

import pytest

from edgeopt.benchmarks.plan import Plan
from edgeopt.core.errors import UsageError


@pytest.mark.parametrize(
    "wrong",
    [
        {"threads": 0},
        {"batch": -1},
        {"processes": 0},
        {"duration": 0.0},
        {"duration": float("nan")},
        {"duration": float("inf")},
    ],
)
def test_values_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Plan(**wrong)  # type: ignore[arg-type]


def test_patience_grows_with_the_work() -> None:
    assert Plan().patience(1) < Plan().patience(3) < Plan(duration=60).patience(3)
