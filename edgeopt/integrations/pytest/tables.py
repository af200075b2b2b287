"""What is shown when all tests are through: one table of comparisons, one of measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeopt.benchmarks.gate.verdict import Comparison
from edgeopt.benchmarks.result import Measurement
from edgeopt.cli.figures import milliseconds, three
from edgeopt.cli.tables import table
from edgeopt.reports.checks import COLUMNS, cells

MEASURED = (
    "test", "artifact", "min ms", "mean ms", "stdev ms", "p50 ms", "p90 ms", "p99 ms", "samples/s",
    "calls", "note",
)  # fmt: skip
COMPARED = ("test", *COLUMNS)


def comparison_rows(test: str, found: Comparison) -> Iterator[dict[str, str]]:
    """A row for each check."""
    for check in found.checks:
        yield dict(zip(COMPARED, (test, *cells(check)), strict=True))


def measurement_row(test: str, found: Measurement, note: str) -> dict[str, str]:
    """The row of an artifact that was measured alone."""
    latency = found.latency
    times = (latency.min, latency.mean, latency.stdev, latency.p50, latency.p90, latency.p99)
    shown = ["" if each is None else milliseconds(each) for each in times]
    rest = (three(found.throughput), f"{latency.count:,}", note)
    return dict(zip(MEASURED, (test, found.artifact, *shown, *rest), strict=True))


def draw(rows: Sequence[dict[str, str]]) -> str:
    """The tables of those rows that there are."""
    compared = [list(row.values()) for row in rows if tuple(row) == COMPARED]
    measured = [list(row.values()) for row in rows if tuple(row) == MEASURED]
    parts = [table(COMPARED, compared, left=3)] if compared else []
    parts += [table(MEASURED, measured, left=2)] if measured else []
    return "\n".join(parts)
