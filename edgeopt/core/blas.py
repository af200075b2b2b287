"""One thread for numpy's matrix products, so that how many cores there are changes no bit.

OpenBLAS, which numpy's wheels bring along, cuts large products and decompositions into as many
pieces as it has threads, and each cut rounds otherwise. Where numpy has another BLAS (conda's MKL,
Apple's Accelerate) nothing is done: MKL_NUM_THREADS=1 and VECLIB_MAXIMUM_THREADS=1 do it there.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

_FOLDERS = ("../numpy.libs", ".dylibs")
"""Where wheels have it, from numpy's own folder: Linux and Windows, macOS."""
_SPELLINGS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Have numpy compute with one thread while the block runs, in whichever thread of Python."""
    found = _threads()
    if found is None:
        yield
        return
    get, put = found
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


@cache
def _threads() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """What tells OpenBLAS's number of threads, and what sets it."""
    home = Path(np.__file__).parent
    for folder in _FOLDERS:
        for path in sorted((home / folder).glob("*openblas*")):
            with contextlib.suppress(OSError):
                library = ctypes.CDLL(str(path.resolve()))  # the one that is loaded already
                for spelling in _SPELLINGS:
                    get, put = (spelling.format(f"{x}_num_threads") for x in ("get", "set"))
                    if hasattr(library, put):
                        return getattr(library, get), getattr(library, put)
    return None
