"""Whether a machine was in a state in which a latency means something."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.benchmarks.conditions import Conditions

_NOW = "since boot"


def held_back(before: Conditions, after: Conditions) -> tuple[str, ...]:
    """What held the machine back while it measured, a sentence each; empty if nothing is known.

    Args:
        before: Its state before.
        after: Its state after.
    """
    return tuple(_reasons(before, after))


def _reasons(before: Conditions, after: Conditions) -> Iterator[str]:
    flags = {*(before.throttled.value or ()), *(after.throttled.value or ())}
    if now := sorted(flag for flag in flags if _NOW not in flag):
        yield f"the firmware held the processor back: {', '.join(now)}"
    counts = before.throttle_count.value, after.throttle_count.value
    if counts[0] is not None and counts[1] is not None and counts[1] > counts[0]:
        yield "the processor grew too hot and was slowed down while it was timed"
    if before.battery.value or after.battery.value:
        yield "the machine ran on its battery, which slows processors down"
