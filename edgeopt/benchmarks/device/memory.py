"""Memory of this process: the most it ever held, and its fair share of what it holds now."""

from __future__ import annotations

import platform
from typing import Any, Dict

from .sensors import Absent, field, read_text, reading


def memory(root: str = "/", system: str = "") -> Dict[str, Any]:
    """``peak_bytes`` and ``proportional_bytes``, as readings, in bytes.

    The peak is the resident set's high-water mark (Linux ``VmHWM``; elsewhere the system's own).
    The share counts a page that n processes use as 1/n (Linux ``Pss``).
    """
    system = system or platform.system()
    return {
        "peak_bytes": reading(lambda: _peak(root, system)),
        "proportional_bytes": reading(lambda: _proportional(root, system)),
    }


def _peak(root: str, system: str) -> int:
    # Not getrusage on Linux: its high-water mark is inherited from the process that started this
    # one, which may have been larger.
    if system == "Linux":
        return _kilobytes(read_text(root, "proc/self/status"), "VmHWM")
    if system == "Darwin":
        return _darwin_peak()
    if system == "Windows":
        return _windows_peak()
    raise Absent("not read on {}".format(system))


def _proportional(root: str, system: str) -> int:
    if system != "Linux":
        raise Absent("not read on {}".format(system))
    return _kilobytes(read_text(root, "proc/self/smaps_rollup"), "Pss")


def _kilobytes(text: str, name: str) -> int:
    return int(field(text, name).split()[0]) * 1024


def _darwin_peak() -> int:
    import resource

    # Bytes on macOS, where Linux has kilobytes (getrusage(2) of each).
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _windows_peak() -> int:
    # PROCESS_MEMORY_COUNTERS of psapi.h: two 32-bit numbers, then sizes of which the first is
    # PeakWorkingSetSize.
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f")
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    arguments = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    kernel.K32GetProcessMemoryInfo.argtypes = arguments
    if not kernel.K32GetProcessMemoryInfo(
        kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb
    ):
        raise Absent("GetProcessMemoryInfo failed")
    return int(counters.peak)
