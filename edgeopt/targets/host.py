"""This machine, as a target."""

from __future__ import annotations

import platform
from collections.abc import Collection
from pathlib import Path

_VNNI = {"avx512_vnni", "avx_vnni"}
_NAMES = {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}


def host_architecture() -> str:
    """This machine's, by the names that profiles use; another's as the system has it."""
    machine = platform.machine()
    return _NAMES.get(machine, machine)


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
    return profile_of("x86_64", words)


def profile_of(architecture: str, features: Collection[str]) -> str:
    """The shipped profile of a processor.

    Args:
        architecture: The system's word for it.
        features: Its instruction sets, by Linux's names.
    """
    if _NAMES.get(architecture, architecture) == "aarch64":
        return "arm64"
    return "x86-64-vnni" if _VNNI.intersection(features) else "x86-64"
