"""Running engines. There is no GPU here: stand-ins for TensorRT and CUDA record what is asked.

The names that they have are held against those of the real module.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeopt.benchmarks.device import cuda, tensorrt_runner
from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.device.runtimes import Runtime
from edgeopt.benchmarks.device.tensorrt_runner import TensorRtSession


class Mode(IntEnum):
    INPUT = 1
    OUTPUT = 2


class StandInCuda:
    """A stand-in for cuda-python: memory is a dictionary, and a mark comes 1 ms after the last."""

    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)  # noqa: N815 - CUDA's name

    def __init__(self, devices: int = 1, status: int = 0) -> None:
        self.devices, self.status = devices, status
        self.memory: dict[int, bytes] = {}
        self.calls: list[str] = []
        self.clock = 0.0

    def cudaGetDeviceCount(self) -> tuple[int, int]:
        return self.status, self.devices

    def cudaStreamCreate(self) -> tuple[int, str]:
        return 0, "stream"

    def cudaStreamSynchronize(self, stream: str) -> tuple[int]:
        self.calls.append("wait")
        return (0,)

    def cudaMalloc(self, size: int) -> tuple[int, int]:
        address = 1000 + len(self.memory)
        self.memory[address] = bytes(size)
        return 0, address

    def cudaMemcpyAsync(
        self, to: int, source: int, size: int, kind: int, stream: str
    ) -> tuple[int]:
        import ctypes

        self.calls.append({1: "h2d", 2: "d2h"}[kind])
        if kind == 1:
            self.memory[to] = ctypes.string_at(source, size)
        else:
            ctypes.memmove(to, self.memory[source], size)
        return (0,)

    def cudaEventCreate(self) -> tuple[int, dict[str, float]]:
        return 0, {"at": 0.0}

    def cudaEventRecord(self, event: dict[str, float], stream: str) -> tuple[int]:
        self.clock += 1.0
        event["at"] = self.clock
        return (0,)

    def cudaEventElapsedTime(self, a: dict[str, float], b: dict[str, float]) -> tuple[int, float]:
        return 0, b["at"] - a["at"]


class StandInContext:
    """Doubles x into y when it is executed."""

    def __init__(self, runtime: StandInCuda) -> None:
        self.cuda, self.shapes, self.places = runtime, dict[str, Any](), dict[str, int]()

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        return shape[0] <= 4

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.shapes["x"])

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.places[name] = address
        return True

    def execute_async_v3(self, stream: str) -> bool:
        self.cuda.calls.append("compute")
        values = np.frombuffer(self.cuda.memory[self.places["x"]], np.float32)
        self.cuda.memory[self.places["y"]] = (2 * values).tobytes()
        return True


class StandInEngine:
    """One input x, one output y."""

    num_io_tensors = 2

    def __init__(self, runtime: StandInCuda) -> None:
        self.cuda = runtime

    def get_tensor_name(self, index: int) -> str:
        return "xy"[index]

    def get_tensor_mode(self, name: str) -> Mode:
        return Mode.INPUT if name == "x" else Mode.OUTPUT

    def get_tensor_dtype(self, name: str) -> str:
        return "float"

    def create_execution_context(self) -> StandInContext:
        return StandInContext(self.cuda)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> StandInCuda:
    """Stand-ins for both modules."""
    runtime = StandInCuda()
    trt = ModuleType("tensorrt")
    engine = StandInEngine(runtime)
    taken = {b"ftrt engine": engine}
    vars(trt).update(
        __version__="10.3.0",
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, severity: None}),
        Runtime=lambda log: SimpleNamespace(deserialize_cuda_engine=taken.get),
        TensorIOMode=Mode,
        nptype={"float": np.float32}.__getitem__,
    )
    monkeypatch.setitem(sys.modules, "tensorrt", trt)
    bindings = ModuleType("cuda.bindings.runtime")
    for name in dir(runtime):
        if name.startswith("cuda"):
            setattr(bindings, name, getattr(runtime, name))
    monkeypatch.setitem(sys.modules, "cuda", ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "cuda.bindings", ModuleType("cuda.bindings"))
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", bindings)
    return runtime


@pytest.fixture
def engine(tmp_path: Path) -> str:
    path = tmp_path / "net.engine"
    path.write_bytes(b"ftrt engine")
    return str(path)


def test_a_call_copies_computes_copies_and_waits(gpu: StandInCuda, engine: str) -> None:
    session = TensorRtSession(engine, 1)
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    run = session.bind({"x": values.T[::1].T})
    run()
    assert gpu.calls == ["h2d", "compute", "d2h", "wait"]
    np.testing.assert_array_equal(session({"x": values})["y"], 2 * values)


def test_memory_is_taken_once(gpu: StandInCuda, engine: str) -> None:
    session = TensorRtSession(engine, 1)
    for _ in range(3):
        session({"x": np.ones((2, 3), np.float32)})
    assert len(gpu.memory) == 2


def test_the_stages_are_the_gpu_s_and_the_whole_is_the_host_s(
    gpu: StandInCuda, engine: str
) -> None:
    session = TensorRtSession(engine, 1)
    session.bind({"x": np.ones((2, 3), np.float32)})
    found = session.stages()
    assert {name: found[name] for name in ("h2d", "compute", "d2h")} == {
        "h2d": 1.0, "compute": 1.0, "d2h": 1.0,
    }  # fmt: skip
    assert found["end_to_end"] > 0


def test_the_runtime_names_the_module(gpu: StandInCuda) -> None:
    runtime = Runtime("tensorrt")
    assert runtime.as_json()["providers"] == ["GPU"]
    assert runtime.version.startswith("tensorrt")


def test_what_it_refuses_is_told(gpu: StandInCuda, engine: str) -> None:
    session = TensorRtSession(engine, 1)
    with pytest.raises(ValueError, match=r"x can't have the shape \(9, 3\)"):
        session.bind({"x": np.ones((9, 3), np.float32)})
    Path(engine).write_bytes(b"ftrt of another GPU")
    with pytest.raises(RuntimeError, match="for another GPU, or for another version"):
        TensorRtSession(engine, 1)


@pytest.mark.parametrize(("devices", "status"), [(0, 0), (0, 100), (0, 35)])
def test_no_gpu_is_one_line(
    gpu: StandInCuda, monkeypatch: pytest.MonkeyPatch, devices: int, status: int
) -> None:
    gpu.devices, gpu.status = devices, status
    with pytest.raises(Failure, match="there is no NVIDIA GPU here that CUDA can use"):
        Runtime("tensorrt")


def test_an_error_of_cuda_is_told_with_the_call(gpu: StandInCuda) -> None:
    runtime = cuda.Cuda(sys.modules["cuda.bindings.runtime"])
    vars(sys.modules["cuda.bindings.runtime"])["cudaMalloc"] = lambda size: (2, None)
    with pytest.raises(RuntimeError, match="cudaMalloc: 2"):
        runtime.allocate(8)


@pytest.mark.usefixtures("tensorrt_is_here")
def test_the_documented_names_are_those_of_the_real_module() -> None:
    import tensorrt_rtx as trt

    for name in ("get_tensor_name", "num_io_tensors", "get_tensor_mode", "get_tensor_dtype",
                 "create_execution_context"):  # fmt: skip
        assert hasattr(trt.ICudaEngine, name)
    for name in ("set_input_shape", "get_tensor_shape", "set_tensor_address", "execute_async_v3"):
        assert hasattr(trt.IExecutionContext, name)
    assert trt.TensorIOMode.INPUT != trt.TensorIOMode.OUTPUT
    assert trt.nptype(trt.float32) is np.float32
    assert hasattr(trt.Runtime, "deserialize_cuda_engine")
    assert tensorrt_runner.MODULES[True] == "tensorrt_rtx"


def test_without_cuda_python_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "MODULES", ("no_such_cuda",))
    with pytest.raises(Failure, match="pip install cuda-python"):
        cuda.load()
