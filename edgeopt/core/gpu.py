"""The NVIDIA GPU of this machine, asked of its driver."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache

_MAJOR, _MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR in cuda.h."""


@dataclass(frozen=True)
class LocalGpu:
    """The first GPU.

    Args:
        name: As the driver calls it.
        compute_capability: ``8.9``, say.
    """

    name: str
    compute_capability: str


@cache
def local_gpu() -> LocalGpu | None:
    """The first GPU, or None where there is none or no driver for it."""
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return None
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return None
    driver.cuDeviceGetName(name, len(name), device)
    numbers = (_attribute(driver, which, device) for which in (_MAJOR, _MINOR))
    return LocalGpu(name.value.decode(errors="replace"), ".".join(map(str, numbers)))


def _attribute(driver: ctypes.CDLL, which: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), which, device)
    return value.value
