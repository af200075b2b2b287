"""One artifact alone in this process: what loading and the first inference cost, and memory."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any, Dict

from .blocks import warm_up
from .conditions import conditions
from .failure import Failure, during
from .machine import machine
from .memory import memory
from .request import Request
from .runtimes import Runtime


def measure(request: Request) -> Dict[str, Any]:
    """Load the only artifact, run it once, then warm it up.

    Returns:
        Times in ns, memory in bytes. ``memory_before`` is what the runtime and the inputs need
        without the model.

    Raises:
        Failure: If it can't be loaded or run.
    """
    if len(request.subjects) != 1:
        raise Failure("request", "solo takes one artifact, not {}".format(len(request.subjects)))
    subject = request.subjects[0]
    runtime = Runtime(subject.runtime)
    inputs = subject.arrays(0)
    before = conditions()
    memory_before = memory()
    start = perf_counter_ns()
    with during("load", 0):
        session = runtime.open(subject.path, request.threads)
    load_ns = perf_counter_ns() - start
    with during("run", 0):
        run = session.bind(inputs)
        start = perf_counter_ns()
        run()
        first_ns = perf_counter_ns() - start
        warmup = warm_up(run, request.warmup_seconds * 1e9)
        stages = session.stages() if hasattr(session, "stages") else None
    return {
        "runtime": runtime.as_json(),
        "machine": machine(),
        "before": before,
        "load_ns": load_ns,
        "first_ns": first_ns,
        "warmup": warmup.as_json(),
        "memory_before": memory_before,
        "memory": memory(),
        "after": conditions(),
        "stages": stages,
    }
