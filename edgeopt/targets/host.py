"""This machine, as a target."""

from __future__ import annotations

import platform
from pathlib import Path

_VNNI = {"avx512_vnni", "avx_vnni"}


def host_architecture() -> str:
    """This machine's, by the names that profiles use; another's as the system has it."""
    machine = platform.machine()
    return {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}.get(machine, machine)


def host_profile(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The shipped profile that this machine's processor has.

    Where the system doesn't list instruction sets, x86 is taken to have no VNNI: an artifact for
    that is right on every x86, the other way round sums may saturate.
    """
    if host_architecture() == "aarch64":
        return "arm64"
    try:
        words = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        words = set()
    return "x86-64-vnni" if words & _VNNI else "x86-64"
