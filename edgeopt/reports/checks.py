"""A gate's checks in words and numbers: the same in the terminal and in CI's summaries."""

from __future__ import annotations

from edgeopt.benchmarks.gate.verdict import Check, Comparison
from edgeopt.reports.figures import percent

COLUMNS = ("check", "verdict", "baseline", "candidate", "change", "allowed")
ABSENT = "-"
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def cells(check: Check) -> tuple[str, ...]:
    """One row under :data:`COLUMNS`."""
    return (
        check.name,
        check.verdict.value,
        figure(check.baseline, check.unit),
        figure(check.candidate, check.unit),
        change(check),
        check.budget,
    )


def sources(found: Comparison) -> str:
    """Which budgets come from a file, and where they stand there; empty if none does."""
    places: dict[str, list[str]] = {}
    for check in found.checks:
        if check.source not in ("", "option", "default"):
            places.setdefault(check.source, []).append(check.name)
    told = "; ".join(f"{', '.join(names)} from {place}" for place, names in places.items())
    return f"Budgets: {told}." if told else ""


def machine(found: Comparison) -> str:
    """What a comparison was made on: the processor, behind a device's name."""
    processor = found.machine.cpu.value or found.machine.architecture
    return processor if found.device is None else f"{found.target} ({processor})"


def runtimes(found: Comparison) -> str:
    """What ran the two: one version of one runtime, where their formats are alike."""
    both = (found.baseline.runtime, found.candidate.runtime)
    return " and ".join(dict.fromkeys(f"{each.name} {each.version}" for each in both))


def figure(value: float | None, unit: str) -> str:
    """A figure with its unit.

    >>> figure(0.17502, "ms"), figure(243_120, "bytes"), figure(0.9115, "share"), figure(None, "ms")
    ('0.175 ms', '243 kB', '91.15 %', '-')
    """
    if value is None:
        return ABSENT
    if unit == "share":
        return percent(value)
    if unit == "bytes":
        size, name = next((s, n) for s, n in _UNITS if abs(value) >= s or s == 1)
        return f"{value / size:.3g} {name}"
    return f"{value:.3g} {unit}"


def change(check: Check) -> str:
    """How far the candidate is from its baseline, with an interval where there is one."""
    found = check.change
    if found is not None and check.unit == "share":
        points = [0.0 - 100 * each for each in (found.point, found.high, found.low)]  # no -0.00
        return "{:+.2f}pp [{:+.2f}, {:+.2f}]".format(*points)
    if found is not None:
        percents = [100 * (each - 1) for each in (found.point, found.low, found.high)]
        return "{:+.1f}% [{:+.1f}, {:+.1f}]".format(*percents)
    if check.baseline and check.candidate is not None:
        return f"{100 * (check.candidate / check.baseline - 1):+.1f}%"
    return ABSENT
