"""Whether what was measured is within a budget; only what was measured on a device can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from edgeopt.benchmarks.result import OPTION, BenchmarkReport, BudgetCheck, Kind, Measurement
from edgeopt.core.errors import GateError, MeasurementError, UsageError
from edgeopt.targets.hardware import Budget

_MB = 1e6


class Part(StrEnum):
    """What a budget limits."""

    LATENCY = "latency"
    MEMORY = "memory"
    SIZE = "size"


UNITS = {Part.LATENCY: "ms", Part.MEMORY: "MB", Part.SIZE: "MB"}
"""Of a limit and of what was found."""


def judged(
    report: BenchmarkReport, budget: Budget, sources: Mapping[str, str] | None = None
) -> BenchmarkReport:
    """The report with what a budget says of it.

    Args:
        report: What was measured.
        budget: The limits.
        sources: Where each is from, by its part; an option where that isn't told.
    """
    known = sources or {}
    checks = (
        msgspec.structs.replace(check, source=known.get(check.part, OPTION))
        for measurement in report.measurements
        for check in _checks(measurement, budget)
    )
    return msgspec.structs.replace(report, budgets=tuple(checks))


def _checks(measurement: Measurement, budget: Budget) -> Iterator[BudgetCheck]:
    memory = measurement.peak_memory_bytes
    latency = measurement.latency.p50
    if budget.max_latency_ms is not None:
        absent = "" if latency is not None else f"{measurement.runtime.name} gives no median"
        if measurement.kind is not Kind.MEASURED:
            latency, absent = None, f"it is {measurement.kind.value}"
        yield _check(measurement, Part.LATENCY, budget.max_latency_ms, latency, absent)
    if budget.max_memory_mb is not None:
        found = None if memory.value is None else memory.value / _MB
        yield _check(measurement, Part.MEMORY, budget.max_memory_mb, found, memory.absent or "")
    if budget.max_size_mb is not None:
        yield _check(measurement, Part.SIZE, budget.max_size_mb, measurement.size_bytes / _MB, "")


def _check(
    measurement: Measurement, part: Part, limit: float, found: float | None, absent: str
) -> BudgetCheck:
    passed = None if found is None else found <= limit
    return BudgetCheck(measurement.artifact, part.value, limit, found, passed, absent)


def check_budgets(report: BenchmarkReport) -> None:
    """Refuse what is over its budget, and what can't be judged.

    Raises:
        UsageError: If a latency that wasn't measured on a device was offered.
        GateError: If something is over its budget; names all of it.
        MeasurementError: If a figure is missing.
    """
    unmeasured = {m.artifact: m.kind for m in report.measurements if m.kind is not Kind.MEASURED}
    latencies = [c for c in report.budgets if c.part == Part.LATENCY and c.artifact in unmeasured]
    if latencies:
        kind = unmeasured[latencies[0].artifact].value
        raise refused(f"{latencies[0].artifact}: its latency is {kind}", latencies[0].source)
    failed = [check for check in report.budgets if check.passed is False]
    if failed:
        raise GateError("; ".join(map(told, failed)), hint=_wider(failed))
    unknown = next((check for check in report.budgets if check.passed is None), None)
    if unknown is not None:
        raise MeasurementError(
            f"{unknown.artifact}: its {unknown.part} can't be held to {_figure(unknown)}: "
            f"{unknown.reason}",
            hint="measure it otherwise, or leave that budget out",
        )


def refused(what: str, source: str) -> UsageError:
    """The error for a latency that no budget takes; ``source`` is where that is from."""
    place = "" if source == OPTION else f" ({source})"
    return UsageError(
        f"{what}, and a budget{place} takes measured ones only",
        hint="measure on the device, or leave the latency out of the budget",
    )


def told(check: BudgetCheck) -> str:
    """One that failed, in words."""
    unit = UNITS[Part(check.part)]
    return (
        f"{check.artifact}: {check.part} {check.found:.4g} {unit} is over its budget of "
        f"{_figure(check)}{origin(check)}"
    )


def origin(check: BudgetCheck) -> str:
    """Where a limit is from, if no option said it: `` (edgeopt.toml, budgets)``."""
    return "" if check.source == OPTION else f" ({check.source})"


def _figure(check: BudgetCheck) -> str:
    return f"{check.limit:g} {UNITS[Part(check.part)]}"


def _wider(failed: Sequence[BudgetCheck]) -> str:
    places = dict.fromkeys(
        f"--max-{c.part}" if c.source == OPTION else f"what {c.source} says" for c in failed
    )
    return f"make it smaller, or widen {' and '.join(places)}"
