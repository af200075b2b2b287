"""What ``edgeopt benchmark`` measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeopt.benchmarks.budget import UNITS, Part, origin
from edgeopt.benchmarks.result import BenchmarkReport, Kind, Measurement, Ratio
from edgeopt.cli.figures import ABSENT, decibels, milliseconds, percent, plural, size, three
from edgeopt.cli.tables import table
from edgeopt.core.errors import EdgeOptError
from edgeopt.core.manifest import read_manifest

_DETAILS = (
    "file",
    "load ms",
    "first ms",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "samples/s",
    "peak memory",
)
_STAGES = ("file", "to the GPU ms", "compute ms", "back ms", "end to end ms")
_MARK = "~"
"""Before every time that wasn't measured on a real device, and what is made of them."""


def draw_report(report: BenchmarkReport, *, saved: bool) -> str:
    """How it was measured, the details, the table to decide by, and what casts doubt on them.

    Args:
        report: The report.
        saved: Whether each measurement was written beside its artifact.
    """
    told = [*_based_on(report), *_outputs(report)]
    if saved:
        target = report.measurements[0].target
        told.append(
            f"Each measurement is beside its artifact, as <artifact>.{target}.benchmark.json."
        )
    parts = [
        _conditions(report.measurements),
        table(_DETAILS, map(_details, report.measurements)),
        _summary(report),
        _stages(report),
        "".join(f"{line}\n" for line in (*told, *_budgets(report))),
        "".join(f"Note: {note}.\n" for note in report.notes),
    ]
    return "\n".join(part for part in parts if part)


def _conditions(measurements: Sequence[Measurement]) -> str:
    first = measurements[0]
    machine = first.machine
    used = dict.fromkeys(f"{m.runtime.name} {m.runtime.version}" for m in measurements)
    runtimes = " and ".join(used)
    count = machine.usable_cores.value or machine.cores.value
    cores = f" ({plural(count, 'core')})" if count else ""
    processes = len(first.latency.processes)
    return (
        f"{first.kind.value.capitalize()} on {machine.cpu.value or machine.architecture}"
        f"{cores} with {runtimes}, {plural(first.threads, 'thread')}, batch {first.batch}; "
        f"{plural(first.latency.count, 'call')} in {plural(processes, 'fresh process', 'es')}, "
        f"fed with {_fed(first)}\n"
    )


def _fed(first: Measurement) -> str:
    random = first.inputs.kind == "random"
    return "random inputs" if random else f"samples of {first.inputs.location}"


def _details(measurement: Measurement) -> tuple[str, ...]:
    latency = measurement.latency
    return (
        _name(measurement),
        _latency(measurement, measurement.load_ms),
        _latency(measurement, measurement.first_inference_ms),
        _latency(measurement, latency.p50),
        _latency(measurement, latency.p90),
        "" if latency.p99 is None else _latency(measurement, latency.p99),
        _mark(measurement) + three(measurement.throughput),
        size(measurement.peak_memory_bytes.value),
    )


def _stages(report: BenchmarkReport) -> str:
    """The parts of a call, of what a GPU computes."""
    rows = [
        (_name(m), *(_latency(m, t) for t in (s.h2d_ms, s.compute_ms, s.d2h_ms, s.end_to_end_ms)))
        for m in report.measurements
        if (s := m.stages) is not None
    ]
    return table(_STAGES, rows) if rows else ""


def _summary(report: BenchmarkReport) -> str:
    metrics = list(dict.fromkeys(m for r in report.measurements for m in r.accuracy.values or {}))
    titles = ("file", "format", "precision", "size", "p50 ms", "ratio", *metrics, "SQNR")
    pairs = zip(report.measurements, report.ratios, strict=True)
    rows = [
        (
            _name(measurement),
            measurement.format.value,
            measurement.precision.value if measurement.precision else ABSENT,
            size(measurement.size_bytes),
            _latency(measurement, measurement.latency.p50),
            _ratio(measurement, ratio, alone=len(report.measurements) == 1),
            *(_metric(measurement, metric) for metric in metrics),
            _sqnr(measurement),
        )
        for measurement, ratio in pairs
    ]
    return table(titles, rows, left=3)


def _latency(measurement: Measurement, value: float | None) -> str:
    return ("" if value is None else _mark(measurement)) + milliseconds(value)


def _mark(measurement: Measurement) -> str:
    return "" if measurement.kind is Kind.MEASURED else _MARK


def _ratio(measurement: Measurement, ratio: Ratio | None, *, alone: bool) -> str:
    if ratio is None:
        return "" if alone else "1 (baseline)"
    return _mark(measurement) + f"{ratio.point:.2f}x [{ratio.low:.2f}, {ratio.high:.2f}]"


def _metric(measurement: Measurement, metric: str) -> str:
    value = (measurement.accuracy.values or {}).get(metric)
    if value is None:
        return ABSENT
    return percent(value) if metric in ("top1", "top5") else f"{value:.4g}"


def _sqnr(measurement: Measurement) -> str:
    """From the manifest beside the artifact; empty where there is none."""
    try:
        manifest = read_manifest(Path(measurement.artifact))
    except (EdgeOptError, OSError):
        return ""
    if manifest is None or manifest.verification is None:
        return ""
    return decibels(manifest.verification.worst.sqnr_db)


def _based_on(report: BenchmarkReport) -> list[str]:
    found = []
    if any(report.ratios):
        baseline = _name(report.measurements[report.baseline])
        confidence = next(r.confidence for r in report.ratios if r is not None)
        found.append(f"Ratios are to {baseline}, with their {confidence:.0%} intervals.")
    reasons = {m.accuracy.absent for m in report.measurements if m.accuracy.absent}
    found += [f"No accuracy: {reason}." for reason in sorted(reasons)]
    return found


def _outputs(report: BenchmarkReport) -> list[str]:
    found = []
    for measurement in report.measurements:
        checked = measurement.verification
        if checked is not None:
            worst = checked.worst
            agreeing = [o.agreement for o in checked.outputs if o.agreement is not None]
            same = f", {percent(min(agreeing))} with the same class" if agreeing else ""
            found.append(
                f"{_name(measurement)}: beside {checked.reference} its outputs are "
                f"{'' if worst.sqnr_db is None else 'at least '}{decibels(worst.sqnr_db)}{same}."
            )
    return found


def _budgets(report: BenchmarkReport) -> list[str]:
    return [
        f"{Path(c.artifact).name}: {c.part} {c.found:.4g} {UNITS[Part(c.part)]}, within its budget "
        f"of {c.limit:g} {UNITS[Part(c.part)]}{origin(c)}."
        for c in report.budgets
        if c.passed
    ]


def _name(measurement: Measurement) -> str:
    return Path(measurement.artifact).name
