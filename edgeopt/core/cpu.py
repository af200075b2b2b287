"""What the processor of this machine is, as far as it decides how floats are computed."""

from __future__ import annotations

import platform
from pathlib import Path

_DECIDING = {"avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16"}


def cpu_features() -> str:
    """The architecture and the instruction sets that choose float kernels: ``x86_64 avx2 fma``.

    Where the system keeps no list of them (only Linux does), the architecture alone.
    """
    machine = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return machine
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return " ".join([machine, *sorted(_DECIDING & {*flags.split()})])
