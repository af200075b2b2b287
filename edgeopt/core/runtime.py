"""The one place that opens ONNX Runtime sessions, and turns its complaints into one line."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

# From 1.29 on the runtime reports model names and digests home by default. Nothing a user converts
# leaves their machine through us; on POSIX the variable only counts before the first import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime as ort

from edgeopt.core.complaints import failed_sample_hint, lacks_operator, reason
from edgeopt.core.errors import DataError, EdgeOptError, ModelError, UnsupportedError
from edgeopt.core.files import weights_of
from edgeopt.core.tensors import Batch

ort.disable_telemetry_events()

_SILENT = 4  # only fatal messages: what the user must know comes as an exception

_FOLDING = "ConstantFolding"
_IF = b"\x22\x02If"
"""``op_type: "If"``, field 4 of a NodeProto. Folding what an If depends on, the runtime puts its
branch in place and loses track of Ifs within: it then refuses the graph, or dies (1.32)."""

RUNTIME = f"onnxruntime {ort.__version__}"

LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


def open_session(
    path: Path,
    *,
    level: str = "all",
    optimized: Path | None = None,
    disabled: Sequence[str] = (),
    threads: int = 0,
    emulated: bool = False,
    name: str = "",
    exact: bool = False,
    shared: bool = False,
    profile: Path | None = None,
) -> Any:
    """Open a CPU session.

    Args:
        path: The model; read from the path, which keeps a copy of its bytes out of memory.
        level: ``none``, ``basic``, ``extended`` or ``all`` of the runtime's graph optimizations.
        optimized: Where the runtime writes its optimized graph, if wanted; its weights apart.
        disabled: The runtime's names of optimizers to leave out.
        threads: Threads within an operator; 0 is one a core.
        emulated: Compute QuantizeLinear and DequantizeLinear as they stand, all between them in
            float: what integer kernels with exact sums give, up to float32's rounding.
        name: The model's name for messages; its path if empty.
        exact: Take integer kernels with exact sums where the fast ones saturate: slower by a fifth.
        shared: Take memory for activations from a pool that all such sessions of the process share;
            for several that run in turns.
        profile: How the file's name starts to which the runtime writes each operator's time, if
            wanted.

    Raises:
        ModelError: If it isn't a valid model.
        UnsupportedError: If the runtime lacks one of its operators.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT
    options.graph_optimization_level = LEVELS[level]
    options.intra_op_num_threads = threads
    # Saves a copy of the activations' arena at no cost in time.
    options.enable_mem_pattern = False
    if shared:
        _register_pool()
        options.add_session_config_entry("session.use_env_allocators", "1")
    if emulated:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    if exact:
        # Weights become uint8, whose kernels add in 32 bits; a CPU with VNNI changes nothing.
        options.add_session_config_entry("session.x64quantprecision", "1")
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
        beside = "session.optimized_model_external_initializers_"
        options.add_session_config_entry(f"{beside}file_name", weights_of(optimized).name)
        options.add_session_config_entry(f"{beside}min_size_in_bytes", "1024")
    left_out = [*disabled, _FOLDING] if _chooses(path) else [*disabled]
    with _loading(name or str(path)):
        return ort.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=left_out
        )


def _chooses(path: Path) -> bool:
    """Whether a file holds an If: the bytes of its type, wherever they stand.

    Once in 4 GB of weights they stand there by chance; then that graph goes unfolded too.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(_IF) >= 0


@cache
def _register_pool() -> None:
    memory = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg(0, -1, -1, -1))  # its own defaults


def run(session: Any, outputs: Sequence[str] | None, inputs: Batch, origin: str) -> list[Any]:
    """Run one batch.

    Raises:
        DataError: If the runtime refuses the inputs or fails on them.
    """
    try:
        return session.run(outputs, inputs)  # type: ignore[no-any-return]
    except Exception as error:
        if not _from_runtime(error):
            raise
        raise DataError(
            f"{origin}: the model fails on this sample: {reason(error)}",
            hint=failed_sample_hint(inputs),
        ) from error


def run_once(model: bytes, inputs: Batch, name: str) -> list[Any]:
    """Open a small model as it stands, run it once, and forget it.

    Args:
        model: An ONNX file's bytes.
        inputs: By name.
        name: The model's, for messages.

    Raises:
        ModelError: If it isn't valid, or fails on these inputs.
        UnsupportedError: If the runtime lacks one of its operators.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT
    options.graph_optimization_level = LEVELS["none"]
    options.intra_op_num_threads = 1  # starting threads would take longer than the work
    with _loading(name):
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return session.run(None, inputs)  # type: ignore[no-any-return]


@cache
def saturates() -> bool:
    """Whether the runtime's 8-bit kernels on this machine add two products in 16 bits.

    x86 without VNNI does (``vpmaddubsw``): sums of 8-bit weights and activations then come out too
    small. Asked of the runtime itself, as no list of CPU features says what it makes of them.
    """
    import onnx
    from onnx import TensorProto, helper

    rows, columns = 64, 16
    weight = np.full((rows, columns), 127, np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["y"])],
        "saturation",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [1, rows])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [1, columns])],
        [onnx.numpy_helper.from_array(weight, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"a": np.full((1, rows), 255, np.uint8)})
    return bool((sums != 255 * 127 * rows).any())


@contextmanager
def _loading(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not _from_runtime(error):
            raise
        raise _load_error(name, error) from error


def _load_error(name: str, error: Exception) -> EdgeOptError:
    text = reason(error)
    if type(error).__name__ == "NoSuchFile":
        return ModelError(f"{name}: no such file", hint="check the path")
    if lacks_operator(text):
        return UnsupportedError(
            f"{name}: ONNX Runtime lacks an operator of this model: {text}",
            hint="export it with standard ONNX operators, or at another opset",
        )
    return ModelError(
        f"{name}: ONNX Runtime can't load it: {text}", hint="check it with onnx.checker.check_model"
    )


def _from_runtime(error: Exception) -> bool:
    # The binding's exceptions share no base class, and misuse comes as ValueError or RuntimeError.
    return type(error).__module__.startswith("onnxruntime") or isinstance(
        error, (RuntimeError, ValueError)
    )
