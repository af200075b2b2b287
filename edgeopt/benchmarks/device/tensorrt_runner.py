"""TensorRT on the GPU: engines of TensorRT and of TensorRT for RTX, by how the file begins.

https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/python-api-docs.html
"""

from __future__ import annotations

from importlib import import_module
from statistics import median
from time import perf_counter_ns
from typing import Any, Dict, List, Tuple

import numpy as np

from . import cuda
from .blocks import Run
from .failure import Failure

RTX_BEGINNING = b"vtrt"
MODULES = {True: "tensorrt_rtx", False: "tensorrt"}
"""By whether an engine is one of TensorRT for RTX."""

_ROUNDS = 50
"""Calls whose stages are timed apart."""


def version() -> str:
    """The version of the module that is here.

    Raises:
        Failure: If no GPU is, or no module.
    """
    cuda.load()
    for name in MODULES.values():
        try:
            module = import_module(name)
        except (ImportError, OSError):
            continue
        return "{} {}".format(name, module.__version__)
    raise Failure("runtime", "neither {} is installed here".format(" nor ".join(MODULES.values())))


class TensorRtSession:
    """An engine, ready to be called.

    Args:
        path: The engine.
        threads: Not used: a GPU has no say in it.

    Raises:
        Exception: What TensorRT and CUDA raise when they can't load or run it.
    """

    PROVIDERS = ("GPU",)

    def __init__(self, path: str, threads: int) -> None:
        with open(path, "rb") as file:
            content = file.read()
        self._trt: Any = import_module(MODULES[content.startswith(RTX_BEGINNING)])
        self._cuda = cuda.Cuda(cuda.load())
        self._log = self._trt.Logger(self._trt.Logger.ERROR)
        runtime = self._trt.Runtime(self._log)
        self._engine: Any = runtime.deserialize_cuda_engine(content)
        if self._engine is None:
            raise RuntimeError("it is for another GPU, or for another version of TensorRT")
        self._context: Any = self._engine.create_execution_context()
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        is_input = self._trt.TensorIOMode.INPUT
        self.inputs = [n for n in names if self._engine.get_tensor_mode(n) == is_input]
        self.outputs = [n for n in names if n not in self.inputs]
        self._places: Dict[str, Tuple[int, int]] = {}
        self._bound: List[Tuple[np.ndarray, int]] = []
        self._results: Dict[str, Tuple[np.ndarray, int]] = {}

    def __call__(self, inputs: Dict[str, np.ndarray]) -> Dict[str, Any]:
        """Run once and give the outputs by name."""
        self.bind(inputs)()
        return {name: array.copy() for name, (array, _) in self._results.items()}

    def bind(self, inputs: Dict[str, np.ndarray]) -> Run:
        """Say where inputs and outputs are, once, and give the call that is timed.

        It copies the inputs to the GPU, computes, copies the outputs back and waits: what an
        application sees.
        """
        self._bound = [
            self._place(name, np.ascontiguousarray(inputs[name])) for name in self.inputs
        ]
        self._results = {name: self._receive(name) for name in self.outputs}
        return self._run

    def stages(self) -> Dict[str, float]:
        """The parts of a call, medians in ms.

        Returns:
            ``h2d``, ``compute`` and ``d2h`` by the GPU's clock, ``end_to_end`` by this machine's,
            which holds what it costs to begin and to wait, too.
        """
        marks = [self._cuda.event() for _ in range(4)]
        times: Dict[str, List[float]] = {"h2d": [], "compute": [], "d2h": [], "end_to_end": []}
        for _ in range(_ROUNDS):
            start = perf_counter_ns()
            self._steps(marks)
            times["end_to_end"].append((perf_counter_ns() - start) / 1e6)
            for name, first, second in zip(("h2d", "compute", "d2h"), marks, marks[1:]):
                times[name].append(self._cuda.between(first, second))
        return {name: median(values) for name, values in times.items()}

    def _run(self) -> None:
        self._steps([])

    def _steps(self, marks: List[Any]) -> None:
        """Copy, compute, copy and wait, with a mark around each if there are any."""
        self._mark(marks, 0)
        for array, address in self._bound:
            self._cuda.to_gpu(address, array)
        self._mark(marks, 1)
        if not self._context.execute_async_v3(self._cuda.stream):
            raise RuntimeError("TensorRT could not begin to compute")
        self._mark(marks, 2)
        for array, address in self._results.values():
            self._cuda.from_gpu(array, address)
        self._mark(marks, 3)
        self._cuda.wait()

    def _mark(self, marks: List[Any], index: int) -> None:
        if marks:
            self._cuda.record(marks[index])

    def _place(self, name: str, array: np.ndarray) -> Tuple[np.ndarray, int]:
        if not self._context.set_input_shape(name, array.shape):
            raise ValueError("{} can't have the shape {}".format(name, array.shape))
        return self._at(name, array)

    def _receive(self, name: str) -> Tuple[np.ndarray, int]:
        shape = tuple(self._context.get_tensor_shape(name))
        kind = self._trt.nptype(self._engine.get_tensor_dtype(name))
        return self._at(name, np.empty(shape, kind))

    def _at(self, name: str, array: np.ndarray) -> Tuple[np.ndarray, int]:
        size, address = self._places.get(name, (-1, 0))
        if size < array.nbytes:
            address = self._cuda.allocate(array.nbytes)
            self._places[name] = (array.nbytes, address)
            self._context.set_tensor_address(name, address)
        return array, address
