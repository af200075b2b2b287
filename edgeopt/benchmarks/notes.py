"""A report criticizes itself: what a reader should know before trusting its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeopt.benchmarks.result import Kind, Measurement, Ratio

_PROCESS_SPREAD = 0.10
_RATIO_WIDTH = 0.05
_WARMING_C = 10.0
_DRIFT = 0.05
_TREND = 0.3


def notes(measurements: Sequence[Measurement], ratios: Sequence[Ratio | None]) -> tuple[str, ...]:
    """One sentence for each thing that casts doubt on the figures; none on a quiet machine."""
    found = [*_kind(measurements[0]), *_machine(measurements[0])]
    for measurement, ratio in zip(measurements, ratios, strict=True):
        found += [*_latency(measurement, ratio), *_ratio(measurement, ratio)]
    return tuple(dict.fromkeys(found))


def _kind(first: Measurement) -> Iterator[str]:
    if first.kind is Kind.EMULATED:
        yield "emulated: these latencies are no real device's, and no gate or budget takes them"


def _machine(first: Measurement) -> Iterator[str]:
    cores = first.machine.usable_cores.value or first.machine.cores.value
    load = first.before.load_average.value
    if cores and first.threads > cores:
        yield f"{first.threads} threads were asked for, but there are {cores} cores"
    if cores and load is not None and load > cores / 2:
        yield f"the machine was busy before: load average {load:.1f} on {cores} cores"
    governors = set(first.before.governor.value or ()) & {"powersave", "ondemand", "conservative"}
    if governors:
        yield f"the frequency governor is {', '.join(sorted(governors))}: clocks may vary"
    if first.after.throttled.value:
        yield f"the device is held back: {', '.join(first.after.throttled.value)}"
    if (hot := _grown_hot(first)) > 0:
        yield f"its cores grew too hot {hot} times while timing"
    yield from _temperatures(first)


def _grown_hot(first: Measurement) -> int:
    before, after = first.before.throttle_count.value, first.after.throttle_count.value
    return 0 if before is None or after is None else after - before


def _temperatures(first: Measurement) -> Iterator[str]:
    before, after = first.before.temperature_c.value or {}, first.after.temperature_c.value or {}
    for zone in before.keys() & after.keys():
        if after[zone] - before[zone] > _WARMING_C:
            yield f"{zone} warmed from {before[zone]:.0f} to {after[zone]:.0f} °C while timing"


def _latency(measurement: Measurement, ratio: Ratio | None) -> Iterator[str]:
    each = measurement.latency.processes
    spread = max(each) / min(each) - 1
    if spread > _PROCESS_SPREAD:
        spared = "" if ratio is None else "; its ratio is not, being taken within processes"
        yield (
            f"{measurement.artifact}: processes differ by {spread:.0%}, so its latency in ms is "
            f"uncertain by as much{spared}"
        )
    drift = measurement.drift
    if drift is not None and drift.ratio > 1 + _DRIFT and drift.trend > _TREND:
        yield (
            f"{measurement.artifact}: it grew slower by {drift.ratio - 1:.0%} while it was timed, "
            f"steadily: {_heat(measurement)}"
        )
    if measurement.latency.absent:
        yield f"{measurement.latency.absent}: {measurement.artifact} takes " + (
            f"{measurement.latency.mean:.4g} ms on average"
        )
    if measurement.warmup.settled is False:
        yield f"{measurement.artifact}: its latency had not settled when the warm-up ended"


def _heat(measurement: Measurement) -> str:
    """What the sensors say about a device that slows down."""
    before, after = measurement.before, measurement.after
    zones = {z: t - (before.temperature_c.value or {}).get(z, t) for z, t in
             (after.temperature_c.value or {}).items()}  # fmt: skip
    if not zones:
        return f"whether it grew hot is not known ({after.temperature_c.absent})"
    zone = max(zones, key=lambda name: zones[name])
    return f"{zone} is at {(after.temperature_c.value or {})[zone]:.0f} °C, {zones[zone]:+.0f} K"


def _ratio(measurement: Measurement, ratio: Ratio | None) -> Iterator[str]:
    if ratio is not None and ratio.high / ratio.low > (1 + _RATIO_WIDTH) ** 2:
        yield (
            f"{measurement.artifact}: its ratio is known to {ratio.low:.2f}..{ratio.high:.2f} "
            "only; a quieter machine or more --processes would narrow it"
        )
