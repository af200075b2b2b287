"""Whether a machine was in a state in which a latency means something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from edgeopt.benchmarks.conditions import Conditions
from edgeopt.benchmarks.gate.verdict import Check, Verdict

_BEFORE = "since boot"
_TIMED = frozenset({"latency", "median", "p90", "p99", "load"})
"""Checks that a machine which is held back says nothing about, neither good nor bad."""


def held_back(before: Conditions, after: Conditions) -> tuple[str, ...]:
    """What held the machine back while it measured, a sentence each; empty if nothing is known.

    Args:
        before: Its state before.
        after: Its state after.
    """
    return tuple(_reasons(before, after))


def voided(checks: Iterable[Check], why: Sequence[str]) -> tuple[Check, ...]:
    """The checks, those on time void where something held the machine back.

    Args:
        checks: What was found.
        why: What :func:`held_back` gave.
    """
    return tuple(
        msgspec.structs.replace(check, verdict=Verdict.UNFIT, why=why[0])
        if why and check.name in _TIMED
        else check
        for check in checks
    )


def _reasons(before: Conditions, after: Conditions) -> Iterator[str]:
    flags = {*(before.throttled.value or ()), *(after.throttled.value or ())}
    if now := sorted(flag for flag in flags if _BEFORE not in flag):
        yield f"the firmware held the processor back: {', '.join(now)}"
    counts = before.throttle_count.value, after.throttle_count.value
    if counts[0] is not None and counts[1] is not None and counts[1] > counts[0]:
        yield "the processor grew too hot and was slowed down while it was timed"
    if before.battery.value or after.battery.value:
        yield "the machine ran on its battery, which slows processors down"
