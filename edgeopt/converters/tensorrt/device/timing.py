"""Timing an engine on the device: by its Python's TensorRT and cuda-python, or by trtexec.

``edgeopt_device`` is EdgeOpt's on-device program, which lies beside this one in a kit.
"""

from __future__ import annotations

from importlib import import_module
from time import perf_counter_ns
from typing import Any, Dict, List

from .failure import Failure
from .trtexec import STAGES, Shapes, time_by_trtexec

WARMUP_NS = 500_000_000


def time_engine(engine: str, profiles: Shapes, inputs: Dict[str, str], seconds: float) -> Any:
    """Time an engine at its usual shapes with random inputs.

    Args:
        engine: The engine's path.
        profiles: By input the least, the usual and the largest shape.
        inputs: The inputs' types by name.
        seconds: How long.

    Returns:
        What :func:`~.results.measurement` takes.

    Raises:
        Failure: If neither can.
    """
    try:
        with _device("failure").during("run"):  # whatever TensorRT and CUDA raise
            return _by_python(engine, profiles, inputs, seconds)
    except _device("failure").Failure as failure:
        try:
            return _by_trtexec(engine, profiles, seconds)
        except Failure as other:
            told = "{}; {}".format(failure.reason, other.reason)
            raise Failure("module", told) from failure


def _device(name: str) -> Any:
    return import_module("edgeopt_device.{}".format(name))


def _by_python(engine: str, profiles: Shapes, inputs: Dict[str, str], seconds: float) -> Any:
    runtime = _device("runtimes").Runtime("tensorrt")
    blocks, about = _device("blocks"), _about()
    before = _device("memory").memory()
    start = perf_counter_ns()
    session = runtime.open(engine, 1)
    load_ns = perf_counter_ns() - start
    run = session.bind(_random(profiles, inputs))
    start = perf_counter_ns()
    run()
    first_ns = perf_counter_ns() - start
    warmup = blocks.warm_up(run, WARMUP_NS)
    calls = max(1, int(seconds * 1e9 / warmup.call_ns))
    ns = blocks.timed_block(run, calls)
    return {
        **about,
        "ms": [each / 1e6 for each in ns],
        "stages": _stages(session.stages()),
        "runtime": runtime.as_json(),
        "load_ms": load_ns / 1e6,
        "first_ms": first_ns / 1e6,
        "warmup": {
            "count": warmup.calls, "seconds": warmup.ns / 1e9, "settled": warmup.settled
        },
        "memory_before": before,
        "memory": _device("memory").memory(),
        "after": _device("conditions").conditions(),
    }  # fmt: skip


def _by_trtexec(engine: str, profiles: Shapes, seconds: float) -> Any:
    about = _about()
    times = time_by_trtexec(engine, profiles, seconds)
    absent = {"value": None, "absent": "trtexec is another process"}
    middle = {name: _median(times[name]) for name in STAGES}
    return {
        **about,
        "ms": times["latency"],
        "stages": _stages({**middle, "end_to_end": middle["latency"]}),
        "runtime": {"name": "trtexec", "version": "", "providers": ["GPU"]},
        "load_ms": None,
        "first_ms": None,
        "warmup": {"count": 0, "seconds": 0.5, "settled": False},
        "memory_before": {"peak_bytes": absent, "proportional_bytes": absent},
        "memory": {"peak_bytes": absent, "proportional_bytes": absent},
        "after": _device("conditions").conditions(),
    }


def _about() -> Dict[str, Any]:
    return {
        "machine": _device("machine").machine(),
        "before": _device("conditions").conditions(),
    }


def _stages(medians: Dict[str, float]) -> Dict[str, float]:
    return {"{}_ms".format(n): medians[n] for n in ("h2d", "compute", "d2h", "end_to_end")}


def _random(profiles: Shapes, inputs: Dict[str, str]) -> Dict[str, Any]:
    import numpy as np

    generator = np.random.default_rng(0)
    made = {}
    for name, shapes in profiles.items():
        kind = np.dtype(inputs[name])
        values = generator.standard_normal(shapes[1]) if kind.kind == "f" else np.ones(shapes[1])
        made[name] = values.astype(kind)
    return made


def _median(values: List[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
