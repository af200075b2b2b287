"""The part of the CUDA runtime that timing an engine needs, through cuda-python.

https://nvidia.github.io/cuda-python/cuda-bindings/latest/module/runtime.html
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .failure import Failure

MODULES = ("cuda.bindings.runtime", "cuda.cudart")
"""Its names since 12.6 and before."""

NO_GPU = "there is no NVIDIA GPU here that CUDA can use: run the engine where one is"


def load() -> Any:
    """Import cuda-python, and make sure that there is a GPU.

    Raises:
        Failure: If either isn't here.
    """
    missing = None
    for name in MODULES:
        try:
            module = import_module(name)
        except ImportError as error:
            missing = error
            continue
        _check_gpu(module)
        return module
    raise Failure(
        "runtime",
        "running an engine needs cuda-python: pip install cuda-python ({})".format(missing),
    )


def _check_gpu(cuda: Any) -> None:
    try:
        status, count = cuda.cudaGetDeviceCount()
    except RuntimeError as error:  # the driver's library itself isn't there
        raise Failure("runtime", NO_GPU) from error
    if int(status) != 0 or count < 1:
        raise Failure("runtime", NO_GPU)


class Cuda:
    """Streams, memory, copies and events, each call checked.

    Args:
        runtime: The module.

    Raises:
        RuntimeError: From any method, if CUDA reports an error.
    """

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self.stream = self._do("cudaStreamCreate")

    def allocate(self, size: int) -> int:
        """Memory on the GPU, ``size`` bytes; its address."""
        return int(self._do("cudaMalloc", max(1, size)))

    def to_gpu(self, address: int, array: np.ndarray) -> None:
        """Begin a copy of a contiguous array to the GPU."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        host = array.ctypes.data
        self._do("cudaMemcpyAsync", address, host, array.nbytes, kind, self.stream)

    def from_gpu(self, array: np.ndarray, address: int) -> None:
        """Begin a copy into a contiguous array."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        host = array.ctypes.data
        self._do("cudaMemcpyAsync", host, address, array.nbytes, kind, self.stream)

    def wait(self) -> None:
        """Wait until all that was begun is done."""
        self._do("cudaStreamSynchronize", self.stream)

    def event(self) -> Any:
        """A mark that can be put into the stream."""
        return self._do("cudaEventCreate")

    def record(self, event: Any) -> None:
        """Put a mark into the stream."""
        self._do("cudaEventRecord", event, self.stream)

    def between(self, first: Any, second: Any) -> float:
        """The time between two marks that were passed, in ms by the GPU's clock."""
        return float(self._do("cudaEventElapsedTime", first, second))

    def _do(self, name: str, *arguments: Any) -> Any:
        status, *given = getattr(self._runtime, name)(*arguments)
        if int(status) != 0:
            raise RuntimeError("{}: {}".format(name, status))
        return given[0] if given else None
