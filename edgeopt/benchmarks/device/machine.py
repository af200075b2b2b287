"""What the machine is: processor, instruction sets, cores, memory, system."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import Any, Dict, List

from .sensors import Absent, field, read_text, reading

X86_FLAGS = {
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_int8",
    "amx_bf16",
}
ARM_FLAGS = {"asimd", "asimddp", "asimdhp", "fphp", "i8mm", "bf16", "sve", "sve2"}
"""The instruction sets that decide which kernels a runtime picks, by Linux's names."""

_DARWIN_FLAGS = {
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
}


def machine(root: str = "/", system: str = "") -> Dict[str, Any]:
    """What the machine is; it doesn't change while a model runs.

    Args:
        root: Where ``proc`` and ``sys`` are.
        system: ``Linux``, ``Darwin`` or ``Windows``; this machine's, if empty.
    """
    system = system or platform.system()
    return {
        "system": system,
        "release": platform.release(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "board": reading(lambda: read_text(root, "proc/device-tree/model")),
        "cpu": reading(lambda: _cpu(root, system)),
        "isa": reading(lambda: _isa(root, system)),
        "cores": reading(_cores),
        "usable_cores": reading(usable_cores),
        "memory_bytes": reading(lambda: _memory_bytes(root, system)),
    }


def _cpu(root: str, system: str) -> str:
    if system == "Darwin":
        return _sysctl("machdep.cpu.brand_string")
    if system == "Windows":
        return platform.processor()
    info = read_text(root, "proc/cpuinfo")
    try:
        return field(info, "model name")
    except Absent:
        # ARM kernels give numbers: implementer 0x41 is Arm, part 0xd0b a Cortex-A76.
        return "implementer {} part {}".format(
            field(info, "CPU implementer"), field(info, "CPU part")
        )


def _isa(root: str, system: str) -> List[str]:
    if system == "Darwin":
        return sorted(flag for name, flag in _DARWIN_FLAGS.items() if _sysctl_is_set(name))
    if system == "Windows":
        raise Absent("Windows keeps no list of them that can be read")
    info = read_text(root, "proc/cpuinfo")
    try:
        flags = field(info, "flags")
    except Absent:
        flags = field(info, "Features")
    return sorted((X86_FLAGS | ARM_FLAGS).intersection(flags.split()))


def _sysctl(name: str) -> str:
    command = ["sysctl", "-n", name]
    return subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=5).decode().strip()  # noqa: S603 - a fixed program and a name from this file


def _sysctl_is_set(name: str) -> bool:
    try:
        return _sysctl(name) == "1"
    except (OSError, subprocess.SubprocessError):
        return False


def _cores() -> int:
    count = os.cpu_count()
    if count is None:
        raise Absent("the system does not tell")
    return count


def usable_cores() -> int:
    """Logical processors that this process may run on.

    Raises:
        Absent: If the system has no affinity.
    """
    if not hasattr(os, "sched_getaffinity"):
        raise Absent("this system has no CPU affinity")
    return len(os.sched_getaffinity(0))


def _memory_bytes(root: str, system: str) -> int:
    if system == "Linux":
        return int(field(read_text(root, "proc/meminfo"), "MemTotal").split()[0]) * 1024
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    raise Absent("not read on {}".format(system))
