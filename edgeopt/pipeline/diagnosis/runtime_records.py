"""What is found of the runtime: what it inserts, and where its time goes."""

from __future__ import annotations

from edgeopt.benchmarks.conditions import Machine
from edgeopt.core.record import Record


class InsertedOp(Record, frozen=True):
    """An operator of the runtime's optimized graphs.

    Args:
        op: The operator.
        float_graph: How many the float graph has.
        artifact: How many the artifact has.
    """

    op: str
    float_graph: int
    artifact: int


class OpTime(Record, frozen=True):
    """The time in one kind of operator.

    Args:
        op: The operator, as the runtime's optimized graph has it.
        float_ms: In one inference of the float graph, in ms.
        float_share: Of the whole, 0 to 1.
        artifact_ms: In one of the artifact.
        artifact_share: Of the whole.
    """

    op: str
    float_ms: float
    float_share: float
    artifact_ms: float
    artifact_share: float


class Timing(Record, frozen=True):
    """Where the time goes: measured on this machine by the runtime's own profiler.

    Args:
        machine: This machine.
        runtime: The runtime and its version.
        threads: Threads within an operator.
        runs: Inferences of each side that were timed.
        float_ms: Time in operators of one inference of the float graph, in ms.
        artifact_ms: Of the artifact.
        ops: By operator, those of the artifact first, the longest first.
    """

    machine: Machine
    runtime: str
    threads: int
    runs: int
    float_ms: float
    artifact_ms: float
    ops: tuple[OpTime, ...]
