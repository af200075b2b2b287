"""What the user says of a search."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgeopt.benchmarks.metrics import Metric, UserFunction, read_metrics
from edgeopt.core.errors import UsageError
from edgeopt.pipeline.parsing import parse_agreement, parse_drop
from edgeopt.pipeline.search.budget import Budget
from edgeopt.pipeline.search.record import SearchRecord, read_search

SECONDS = 300.0
TOP1 = "top1"


@dataclass(frozen=True)
class AutoOptions:
    """What the user says of a search.

    Args:
        budget: What must hold.
        seconds: How long it may take.
        metric: Makes the measure of accuracy.
        replayed: A search that is to be taken as it was.
        given: Which options of a search were given, by their names.
    """

    budget: Budget = field(default_factory=Budget)
    seconds: float = SECONDS
    metric: Callable[[], Metric] | None = None
    replayed: SearchRecord | None = None
    given: tuple[str, ...] = ()


def read_auto_options(
    *,
    max_drop: str | None,
    min_sqnr: float | None,
    min_agreement: str | float | None,
    accuracy: str | UserFunction,
    search_time: float,
    replay: str | Path | None,
    code_allowed: bool,
) -> AutoOptions:
    """Read the options as they were given.

    Raises:
        UsageError: If one of them isn't allowed.
    """
    if not 0 < search_time < math.inf:
        raise UsageError(f"--search-time is {search_time:g} s", hint="use more than 0")
    metrics = read_metrics(accuracy, code_allowed=code_allowed)
    given = {
        "--max-drop": max_drop is not None,
        "--min-agreement": min_agreement is not None,
        "--accuracy": accuracy != TOP1,
        "--search-time": search_time != SECONDS,
        "--replay": replay is not None,
    }
    return AutoOptions(
        budget=Budget(parse_drop(max_drop), min_sqnr, parse_agreement(min_agreement)),
        seconds=search_time,
        metric=None if max_drop is None else lambda: metrics()[0],
        replayed=None if replay is None else read_search(Path(replay)),
        given=tuple(option for option, there in given.items() if there),
    )
