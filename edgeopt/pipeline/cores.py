"""How many threads a machine can run at once: more measure its scheduler."""

from __future__ import annotations

from edgeopt.benchmarks.device.machine import usable_cores
from edgeopt.benchmarks.device.sensors import Absent
from edgeopt.core.errors import MeasurementError


def check_cores(threads: int, usable: int | None) -> None:
    """Refuse more threads than there are cores: thousands would stop a machine.

    Args:
        threads: Threads within an operator.
        usable: Cores that a process may run on; None where that isn't known.

    Raises:
        MeasurementError: If there are too few.
    """
    if usable is not None and usable < threads:
        raise MeasurementError(
            f"{threads} threads on {usable} usable cores measure the scheduler",
            hint="use fewer --threads, or a machine with more cores",
        )


def cores_here() -> int | None:
    """Cores of this machine that a process may run on; None where that isn't known."""
    try:
        return usable_cores()
    except Absent:
        return None
