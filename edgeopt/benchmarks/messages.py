"""What the host asks of the on-device program, and what it answers.

The program knows these as plain JSON (it has no msgspec); here they are typed, so that an answer
which isn't what was asked for is noticed where it arrives.
"""

from __future__ import annotations

from typing import Literal

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.core.manifest import Delegation
from edgeopt.core.record import Record


class Samples(Record, frozen=True):
    """What an artifact is run on beside another; ``device/request.py`` tells what each field is."""

    file: str
    outputs: tuple[str, ...]
    size: int
    counted: tuple[int, ...]
    labels: tuple[int, ...]


class Subject(Record, frozen=True):
    """One artifact and its inputs, as the program is told of them.

    Args:
        path: The artifact's file.
        inputs: A ``.npz`` of arrays ``arr_0``, ``arr_1``, ...
        names: The inputs' names in the same order: the file's.
        runtime: What runs it.
        samples: What it is run on beside another; None unless it is.
    """

    path: str
    inputs: str
    names: tuple[str, ...]
    runtime: str
    samples: Samples | None = None


class Request(Record, frozen=True):
    """What to measure; ``device/request.py`` tells what each field means."""

    task: Literal["solo", "paired", "beside", "probe", "smoke"]
    threads: int
    seed: str
    warmup_seconds: float
    duration_seconds: float
    subjects: tuple[Subject, ...]


class RuntimeRecord(Record, frozen=True):
    """The runtime that ran an artifact.

    Args:
        name: ``onnxruntime``, its providers' ``onnxruntime-cuda`` and ``onnxruntime-tensorrt``,
            ``litert`` or ``tensorrt``; a native program's own.
        version: Its version.
        providers: What it computed on, in its own words.
    """

    name: str
    version: str
    providers: tuple[str, ...]


class WarmupAnswer(Record, frozen=True):
    """How a warm-up went; times in ns.

    Args:
        calls: How many there were.
        ns: How long they took together.
        settled: Whether latency had stopped falling when it ended.
        call_ns: What a call took at its end.
    """

    calls: int
    ns: int
    settled: bool
    call_ns: float


class MemoryAnswer(Record, frozen=True):
    """Memory of the measuring process, in bytes.

    Args:
        peak_bytes: The most it ever held (resident).
        proportional_bytes: What it holds now, shared pages by their share (PSS).
    """

    peak_bytes: Reading[int]
    proportional_bytes: Reading[int]


class StagesAnswer(Record, frozen=True):
    """The parts of a call on a GPU, medians in ms.

    Args:
        h2d: Copying to the GPU.
        compute: What the GPU computes.
        d2h: Copying back.
        end_to_end: From the call to its answer, by the host's clock.
    """

    h2d: float
    compute: float
    d2h: float
    end_to_end: float


class SoloAnswer(Record, frozen=True):
    """One artifact alone in a fresh process; times in ns.

    Args:
        runtime: What ran it.
        machine: What it ran on.
        before: The machine's state before.
        load_ns: Loading it, the runtime already imported.
        first_ns: The first call.
        warmup: The calls after that.
        memory_before: Before it was loaded.
        memory: After the warm-up.
        after: The machine's state after.
        stages: The parts of a call, where a GPU computes.
    """

    runtime: RuntimeRecord
    machine: Machine
    before: Conditions
    load_ns: int
    first_ns: int
    warmup: WarmupAnswer
    memory_before: MemoryAnswer
    memory: MemoryAnswer
    after: Conditions
    stages: StagesAnswer | None = None


class Block(Record, frozen=True):
    """Calls of one artifact in a row; times in ns.

    Args:
        artifact: Its index.
        ns: What each call took.
    """

    artifact: int
    ns: tuple[int, ...]


class PairedAnswer(Record, frozen=True):
    """All artifacts in one fresh process.

    Args:
        runtimes: One an artifact.
        created: Indices of the artifacts in the order in which their sessions were made.
        warmups: One an artifact.
        blocks: In the order of their turns.
        before: The machine's state before.
        after: The machine's state after.
    """

    runtimes: tuple[RuntimeRecord, ...]
    created: tuple[int, ...]
    warmups: tuple[WarmupAnswer, ...]
    before: Conditions
    blocks: tuple[Block, ...]
    after: Conditions

    def turns(self, artifact: int) -> list[tuple[int, ...]]:
        """The times of an artifact's calls, in ns, block by block: one in each round."""
        return [block.ns for block in self.blocks if block.artifact == artifact]

    def samples(self, artifact: int) -> list[int]:
        """The same without the blocks."""
        return [ns for turn in self.turns(artifact) for ns in turn]


class DeviceAnswer(Record, frozen=True):
    """What a device says of itself before anything is measured.

    Args:
        kind: Whether it is one.
        machine: What it is.
        lock: The file that keeps other measurements away, and what stands in it.
    """

    kind: str
    machine: Machine
    lock: str


class ArrivedAnswer(Record, frozen=True):
    """That all files arrived whole."""


class ProbeAnswer(Record, frozen=True):
    """What a ``.tflite`` is to its runtime.

    Args:
        runtime: What ran it.
        delegation: Which of its operators the delegate takes.
    """

    runtime: RuntimeRecord
    delegation: Delegation


class OutputAnswer(Record, frozen=True):
    """One output of a call.

    Args:
        name: Its name.
        shape: Its shape.
        values: How many values it has.
        not_finite: How many of them are NaN or infinite.
        digest: The SHA-256 of its bytes.
    """

    name: str
    shape: tuple[int, ...]
    values: int
    not_finite: int
    digest: str


class CallAnswer(Record, frozen=True):
    """A call that was made twice.

    Args:
        outputs: Of the first time.
        again: The outputs' digests of the second.
    """

    outputs: tuple[OutputAnswer, ...]
    again: tuple[str, ...]


class SmokeAnswer(Record, frozen=True):
    """One artifact on several inputs.

    Args:
        runtime: What ran it.
        load_ns: Loading it, in ns.
        calls: One an input.
    """

    runtime: RuntimeRecord
    load_ns: int
    calls: tuple[CallAnswer, ...]


class Failed(Record, frozen=True):
    """Why there is no answer; ``device/failure.py`` tells what each field means."""

    stage: str
    reason: str
    artifact: int | None


class Failure(Record, frozen=True):
    """The message that holds a :class:`Failed`.

    Args:
        failure: What it holds.
    """

    failure: Failed
