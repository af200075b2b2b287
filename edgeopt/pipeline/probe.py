"""A profile of the machine at hand, from what it tells of itself."""

from __future__ import annotations

import json
import platform
import re

from edgeopt.benchmarks.conditions import Machine
from edgeopt.benchmarks.device.machine import machine
from edgeopt.core.errors import UnsupportedError
from edgeopt.targets.hardware import Cpu, Memory
from edgeopt.targets.host import host_profile
from edgeopt.targets.profile import Profile, load_target


def probe_host() -> Profile:
    """This machine as a profile; encodings are those of the shipped profile it is like.

    Raises:
        UnsupportedError: If its processor is of a kind that no profile has.
    """
    import msgspec

    found = msgspec.convert(machine(), Machine)
    like = host_profile()
    cpu = load_target(like).cpu
    if cpu is None or platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"):
        raise UnsupportedError(
            f"no profile has a processor such as this one ({platform.machine()})",
            hint="write a TOML file by hand: see the guide's page on targets",
        )
    size = found.memory_bytes.value
    board = found.board.value or platform.node() or "board"
    return Profile(
        name=_slug(board),
        description=f"{found.board.value or found.cpu.value or found.architecture}, probed",
        like=(like,),
        cpu=Cpu(arch=cpu.arch, features=found.isa.value or cpu.features),
        memory=None if size is None else Memory(gb=(round(size / 1e9, 1),)),
        threads=found.usable_cores.value or found.cores.value or 1,
    )


def as_toml(profile: Profile) -> str:
    """What of a profile :func:`probe_host` fills in, as a file for ``--target``."""
    assert profile.cpu is not None
    lines = [
        f"name = {_text(profile.name)}",
        f"description = {_text(profile.description)}",
        f"like = {json.dumps(list(profile.like))}",
        f"threads = {profile.threads}",
        "",
        "[cpu]",
        f"arch = {_text(profile.cpu.arch)}",
        f"features = {json.dumps(list(profile.cpu.features))}",
    ]
    if profile.memory is not None:
        lines += ["", "[memory]", f"gb = {json.dumps(list(profile.memory.gb))}"]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    # JSON's strings are TOML's, but for the character DEL.
    return json.dumps(value.replace("\x7f", ""))


def _slug(text: str) -> str:
    """A name that can be part of a file's: ``raspberry-pi-5-model-b-rev-1.0``."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:60] or "board"
