"""Which of all that is said about a budget counts, and where that is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from edgeopt.benchmarks.budget import Part, judged
from edgeopt.benchmarks.gate.budgets import Budgets, Limit, Tail, read_share
from edgeopt.benchmarks.result import OPTION, BenchmarkReport
from edgeopt.pipeline.budgets.file import ProjectFile
from edgeopt.pipeline.budgets.keys import KEYS
from edgeopt.targets import Profile
from edgeopt.targets.hardware import Budget

DEFAULT = "default"
"""Where a budget is from that nobody gave."""

_SLOWDOWN = "3%"
_PARTS = {"max-latency": Part.LATENCY, "max-memory": Part.MEMORY, "max-size": Part.SIZE}
_MB = 1e6


@dataclass(frozen=True)
class Asked:
    """A budget, and where it is from.

    Args:
        value: What was asked, as the budget has it.
        source: The option, or the file and its key, or the profile.
    """

    value: Any
    source: str


@dataclass(frozen=True)
class Costs:
    """What one artifact may cost, without a baseline to be compared with.

    Args:
        budget: The limits.
        sources: Where each is from, by its part.
        notes: What is asked and can't be judged so.
    """

    budget: Budget
    sources: Mapping[str, str]
    notes: tuple[str, ...]


def read_options(given: Mapping[str, Any]) -> dict[str, Asked]:
    """What options say.

    Args:
        given: Their values by key; None where one wasn't given.

    Raises:
        UsageError: If a value isn't allowed.
    """
    return {
        key: Asked(KEYS[key].read(value, f"--{key}"), OPTION)
        for key, value in given.items()
        if value is not None
    }


def budgets_for(
    options: Mapping[str, Asked],
    project: ProjectFile | None,
    target: str,
    profile: Profile | None,
) -> Budgets:
    """What a comparison checks.

    Args:
        options: What :func:`read_options` gave.
        project: The project's file.
        target: What the target is called; ``host`` is this machine.
        profile: The target's; None without one.
    """
    asked = {
        "max-slowdown": Asked(read_share(_SLOWDOWN, "the default"), DEFAULT),
        **_known(project, target, profile),
        **options,
    }
    return Budgets(
        **{KEYS[key].part: each.value for key, each in asked.items()},
        sources={_check(key, each.value): each.source for key, each in asked.items()},
    )


def costs_for(
    options: Budget, project: ProjectFile | None, target: str, profile: Profile | None
) -> Costs:
    """What a benchmark checks; arguments as :func:`budgets_for`."""
    asked = {**_known(project, target, profile), **_limits(options, OPTION)}
    wanted = {key: each for key, each in asked.items() if key in _PARTS}
    absolute = {key: each for key, each in wanted.items() if not each.value.relative}

    def most(key: str, unit: float) -> float | None:
        return absolute[key].value.value / unit if key in absolute else None

    return Costs(
        Budget(
            max_latency_ms=most("max-latency", 1.0),
            max_memory_mb=most("max-memory", _MB),
            max_size_mb=most("max-size", _MB),
        ),
        {_PARTS[key].value: each.source for key, each in absolute.items()},
        tuple(
            f"{key} = {each.value.said} ({each.source}) is relative to a baseline: "
            "`edgeopt compare` judges it"
            for key, each in wanted.items()
            if each.value.relative
        ),
    )


def held(
    report: BenchmarkReport,
    options: Budget,
    project: ProjectFile | None,
    profile: Profile | None = None,
) -> BenchmarkReport:
    """A report with what the budgets of its target say of it; arguments as :func:`costs_for`."""
    costs = costs_for(options, project, report.measurements[0].target, profile)
    report = msgspec.structs.replace(report, notes=(*report.notes, *costs.notes))
    return judged(report, costs.budget, costs.sources)


def _known(project: ProjectFile | None, target: str, profile: Profile | None) -> dict[str, Asked]:
    """What the files say, the project's before the profile."""
    theirs = {} if profile is None else _limits(profile.budget, f"the profile of {profile.name}")
    return {**theirs, **(dict(_ours(project, target)) if project is not None else {})}


def _ours(project: ProjectFile, target: str) -> Iterator[tuple[str, Asked]]:
    for key in KEYS:
        if (found := project.of(key, target)) is not None:
            yield key, Asked(*found)


def _limits(budget: Budget, source: str) -> dict[str, Asked]:
    ms, memory, size = budget.max_latency_ms, budget.max_memory_mb, budget.max_size_mb
    found = {
        "max-latency": None if ms is None else Limit(f"{ms:g} ms", ms, relative=False),
        "max-memory": None if memory is None else _megabytes(memory),
        "max-size": None if size is None else _megabytes(size),
    }
    return {key: Asked(limit, source) for key, limit in found.items() if limit is not None}


def _megabytes(value: float) -> Limit:
    return Limit(f"{value:g} MB", value * _MB, relative=False)


def _check(key: str, value: Any) -> str:
    return value.name if isinstance(value, Tail) else KEYS[key].check
