"""What a device is: its processor, accelerator and memory; what was published of its speed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from edgeopt.core.record import Record

Positive = Annotated[float, msgspec.Meta(gt=0)]
"""More than 0."""

Count = Annotated[int, msgspec.Meta(ge=1)]
"""1 or more."""


class Cores(Record, frozen=True):
    """Equal cores of a processor.

    Args:
        name: Such as ``Cortex-A76``.
        count: How many.
        ghz: Their highest clock, in GHz.
    """

    name: str
    count: Count
    ghz: Positive


class Cpu(Record, frozen=True):
    """The processor.

    Args:
        arch: As ``uname -m`` has it: ``x86_64``, ``aarch64``; ``armv7e-m`` for Cortex-M4.
        features: The instruction-set features that decide encodings, by Linux's names.
        cores: Its cores, the fastest first.
    """

    arch: Literal["x86_64", "aarch64", "armv7e-m"]
    features: tuple[str, ...] = ()
    cores: tuple[Cores, ...] = ()


class Accelerator(Record, frozen=True):
    """What computes besides the processor, where that isn't an NVIDIA GPU.

    Args:
        name: What it is called.
        tops: Its peak, in 10^12 8-bit operations a second, as its maker has it; no latency follows
            from it.
        memory_mb: Memory of its own, in MB.
        note: What it can be used for.
    """

    name: str
    tops: Positive | None = None
    memory_mb: Positive | None = None
    note: str = ""


class Memory(Record, frozen=True):
    """The device's memory.

    Args:
        kind: Such as ``LPDDR4-3200``.
        gb: The sizes it comes in, in GB.
        bandwidth_gb_s: In GB/s.
    """

    kind: str = ""
    gb: tuple[Positive, ...] = ()
    bandwidth_gb_s: Positive | None = None


class Software(Record, frozen=True):
    """What the vendor's system brings.

    Args:
        name: Such as ``JetPack 6.2``.
        python: Its Python.
        cuda: Its CUDA.
        tensorrt: Its TensorRT.
    """

    name: str
    python: str = ""
    cuda: str = ""
    tensorrt: str = ""


class Published(Record, frozen=True):
    """A latency that somebody else measured; two sources differ by 35 to 50 % on one board.

    Args:
        model: Which model.
        precision: As the source has it.
        ms: In ms.
        source: Who published it.
        on: With what: threads, runtime, unit; as the source has it.
    """

    model: str
    precision: str
    ms: Positive
    source: str
    on: str = ""


class Budget(Record, frozen=True):
    """What an artifact may cost on the device.

    Args:
        max_latency_ms: The median call, in ms.
        max_memory_mb: The peak of memory, in MB.
        max_size_mb: The file, in MB.
    """

    max_latency_ms: Positive | None = None
    max_memory_mb: Positive | None = None
    max_size_mb: Positive | None = None
