"""A profile of a machine, from what it tells of itself: this one, or a device that is reached."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import msgspec

from edgeopt.benchmarks.bundle import RUN, program
from edgeopt.benchmarks.conditions import Machine, Reading
from edgeopt.benchmarks.device.describe import ANSWER
from edgeopt.benchmarks.device.machine import machine
from edgeopt.benchmarks.device.start import DESCRIBE
from edgeopt.benchmarks.result import Kind
from edgeopt.core.errors import MeasurementError, UnsupportedError, UsageError
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.printable import printable
from edgeopt.targets.address import split_target
from edgeopt.targets.hardware import Cpu, Memory
from edgeopt.targets.host import host_profile, profile_of
from edgeopt.targets.profile import Gpu, Profile, load_target
from edgeopt.targets.transport import Transport, reach

_MOST_BYTES = 1 << 20
_SECONDS = 120

BOARDS = {
    "raspberry pi 4": "raspberry-pi-4",
    "raspberry pi 5": "raspberry-pi-5",
    "raspberry pi zero 2": "raspberry-pi-zero-2w",
    "orin nano": "jetson-orin-nano",
    "orin nx": "jetson-orin-nx",
    "agx orin": "jetson-agx-orin",
    "rk3588": "rk3588",
}
"""Shipped profiles, by words in the board's own name."""


class Device(Record, frozen=True):
    """What a device answered.

    Args:
        kind: Whether it is one: ``measured`` or ``emulated``.
        machine: What it is.
        packages: Versions of what measures there, by package.
    """

    kind: Kind
    machine: Machine
    packages: dict[str, Reading[str]]


def probe_host() -> Profile:
    """This machine as a profile; encodings are those of the shipped profile it is like.

    Raises:
        UnsupportedError: If its processor is of a kind that no profile has.
    """
    found = msgspec.convert(machine(), Machine)
    return _profile(found, host_profile(), found.board.value or platform.node() or "board")


def probe_device(
    address: str, *, ssh_config: Path | None = None, progress: Progress = silent
) -> Profile:
    """A device as a profile, with its address in it.

    Args:
        address: Where it is: ``ssh://user@host``.
        ssh_config: An ssh configuration instead of the user's own.
        progress: Told how far it is.

    Raises:
        UsageError: If it isn't an address.
        MeasurementError: If the device can't be reached, or can't run Python 3.8.
        UnsupportedError: If its processor is of a kind that no profile has.
    """
    profile, place = split_target(address)
    if place is None or profile is not None:
        raise UsageError(f"{address}: not the address of a device", hint="write ssh://user@host")
    with reach(place, ssh_config) as device:
        return probe(device, progress)


def probe(device: Transport, progress: Progress = silent) -> Profile:
    """A device that is connected, as a profile.

    Raises:
        MeasurementError: If it doesn't answer, or not as expected.
        UnsupportedError: If its processor is of a kind that no profile has, or adb reaches it.
    """
    if device.address.scheme == "adb":
        raise UnsupportedError(
            f"{device.address}: probing takes Python, which adb's devices don't have",
            hint='write its profile by hand: like = ["arm64"], or take pixel or another one',
        )
    progress(f"probing {device.address}", 0, None)
    found = _asked(device)
    like = profile_of(found.machine.architecture, found.machine.isa.value or ())
    name = found.machine.board.value or device.address.host
    probed = _profile(found.machine, like, printable(name))
    return msgspec.structs.replace(probed, address=str(device.address))


def _asked(device: Transport) -> Device:
    with scratch_folder() as scratch, device.folder() as run:
        (scratch / RUN).write_bytes(program())
        device.push(scratch, run)
        code, words = device.start(run, ["python3", RUN, DESCRIBE], _SECONDS)
        answer = device.pull(run, ANSWER, _MOST_BYTES)
    try:
        return msgspec.json.decode(answer, type=Device)
    except (msgspec.DecodeError, RecursionError) as error:
        told = words.removeprefix("Error: ") or f"it ended with code {code}, without an answer"
        raise MeasurementError(
            f"{device.address}: {told}", hint="check that Python 3.8 or newer runs there"
        ) from error


def _profile(found: Machine, like: str, name: str) -> Profile:
    cpu = load_target(like).cpu
    if cpu is None or found.architecture.lower() not in ("x86_64", "amd64", "aarch64", "arm64"):
        raise UnsupportedError(
            f"no profile has a processor such as this one ({printable(found.architecture)})",
            hint="write a TOML file by hand: see the guide's page on targets",
        )
    size, told = found.memory_bytes.value, name if found.board.value else found.cpu.value
    board = next((known for words, known in BOARDS.items() if words in name.lower()), like)
    return Profile(
        name=_slug(name),
        description=f"{printable(told or found.architecture)}, probed",
        like=tuple(dict.fromkeys((board, like))),
        cpu=Cpu(arch=cpu.arch, features=tuple(map(printable, found.isa.value or cpu.features))),
        gpu=load_target(board).gpu,
        memory=None if size is None else Memory(gb=(round(size / 1e9, 1),)),
        threads=found.usable_cores.value or found.cores.value or 1,
    )


def as_toml(profile: Profile) -> str:
    """What of a profile probing fills in, as a file for ``--target``."""
    assert profile.cpu is not None
    lines = [
        f"name = {_text(profile.name)}",
        f"description = {_text(profile.description)}",
        f"like = {json.dumps(list(profile.like))}",
        f"threads = {profile.threads}",
        *([f"address = {_text(profile.address)}"] if profile.address else []),
        "",
        "[cpu]",
        f"arch = {_text(profile.cpu.arch)}",
        f"features = {json.dumps(list(profile.cpu.features))}",
    ]
    if profile.gpu is not None:
        lines += _gpu(profile.gpu)
    if profile.memory is not None:
        lines += ["", "[memory]", f"gb = {json.dumps(list(profile.memory.gb))}"]
    return "\n".join(lines) + "\n"


def _gpu(gpu: Gpu) -> list[str]:
    return ["", "[gpu]", f"compute_capability = {_text(gpu.compute_capability)}"]


def _text(value: str) -> str:
    # JSON's strings are TOML's, but for the character DEL.
    return json.dumps(value.replace("\x7f", ""))


def _slug(text: str) -> str:
    """A name that can be part of a file's: ``raspberry-pi-5-model-b-rev-1.0``."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:60] or "board"
