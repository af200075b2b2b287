"""What is known of the machine that a measurement was made on, and of its state."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from edgeopt.core.record import Record

T = TypeVar("T")


class Reading(Record, Generic[T], frozen=True):
    """A sensor's value, or why there is none; an absent sensor is never 0.

    Args:
        value: What it read.
        absent: Why it couldn't; None where there is a value.
    """

    value: T | None = None
    absent: str | None = None


_UNREAD: Reading[Any] = Reading(absent="not read when this was measured")


class Machine(Record, frozen=True):
    """What a machine is.

    Args:
        system: ``Linux``, ``Darwin``, ``Windows``.
        release: The kernel's version.
        architecture: ``x86_64``, ``aarch64``, ``AMD64``, ``arm64``: the system's own word.
        python: Version of the Python that measured; None where a native program did.
        board: The board's name, from the device tree.
        cpu: The processor's name.
        isa: Instruction sets that decide which kernels a runtime picks, by Linux's names.
        cores: Logical processors.
        usable_cores: Those that the process may run on.
        memory_bytes: Physical memory, in bytes.
    """

    system: str
    release: str
    architecture: str
    python: str | None
    board: Reading[str]
    cpu: Reading[str]
    isa: Reading[tuple[str, ...]]
    cores: Reading[int]
    usable_cores: Reading[int]
    memory_bytes: Reading[int]


class Conditions(Record, frozen=True):
    """The state a machine is in at one moment.

    Args:
        at: When, by the machine's own clock: ISO 8601, UTC.
        governor: The frequency governors in use.
        frequency_mhz: Each core's clock, in MHz.
        temperature_c: Each thermal zone, in degrees Celsius.
        load_average: Mean length of the run queue over a minute.
        memory_available_bytes: Memory that could be had without swapping, in bytes.
        throttled: What a Raspberry Pi's firmware says holds it back, now and since boot.
        throttle_count: How often its cores grew too hot since it was started (x86).
        power_mode: A Jetson's power mode.
        rails_mw: What a Jetson's rails draw, in mW.
        energy_uj: RAPL's counters by domain, in uJ; they wrap around.
        battery: Whether it runs on its battery.
    """

    at: str
    governor: Reading[tuple[str, ...]]
    frequency_mhz: Reading[tuple[int, ...]]
    temperature_c: Reading[dict[str, float]]
    load_average: Reading[float]
    memory_available_bytes: Reading[int]
    throttled: Reading[tuple[str, ...]] = _UNREAD
    throttle_count: Reading[int] = _UNREAD
    power_mode: Reading[str] = _UNREAD
    rails_mw: Reading[dict[str, float]] = _UNREAD
    energy_uj: Reading[dict[str, int]] = _UNREAD
    battery: Reading[bool] = _UNREAD
