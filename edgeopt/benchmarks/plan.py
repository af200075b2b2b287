"""How artifacts are timed: the options of a measurement as one frozen record."""

from __future__ import annotations

from enum import StrEnum

from edgeopt.core.errors import UsageError
from edgeopt.core.record import Record


class Provider(StrEnum):
    """What ONNX Runtime computes on."""

    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"


class Plan(Record, frozen=True):
    """How artifacts are timed.

    Args:
        threads: Threads within an operator.
        batch: Samples a call.
        duration: Time in each artifact's timed blocks in each paired process, in s.
        processes: Fresh processes that hold all artifacts; the unit of the ratios' intervals.
        seed: Draws the orders; process n's are drawn from ``"<seed>/<n>"``.
        warmup: Upper bound of a warm-up, in s.
        timeout: Seconds a process may take beyond ten times its planned time.

    Raises:
        UsageError: If a value is out of its range.
    """

    threads: int = 1
    batch: int = 1
    duration: float = 1.0
    processes: int = 5
    seed: int = 0
    warmup: float = 0.5
    timeout: float = 600.0

    def __post_init__(self) -> None:
        for name in ("threads", "batch", "processes"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}", hint="1 is the least")
        for name in ("duration", "warmup", "timeout"):
            if not 0 < getattr(self, name) < float("inf"):
                raise UsageError(f"{name} is {getattr(self, name)} s", hint="use more than 0")

    def patience(self, artifacts: int) -> float:
        """Seconds after which a process with that many artifacts is taken for hung."""
        return self.timeout + 10 * artifacts * (self.duration + self.warmup)

    def check(self, artifacts: int) -> None:
        """Refuse a measurement of nothing, and ratios without intervals.

        Raises:
            UsageError: Says what is missing.
        """
        if not artifacts:
            raise UsageError(
                "no artifact was named", hint="name one or more .onnx or .tflite files"
            )
        if artifacts > 1 and self.processes < 2:
            raise UsageError(
                "one process gives no interval for a ratio", hint="use --processes 2 or more"
            )
