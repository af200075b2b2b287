"""ONNX Runtime's ``onnxruntime_perf_test``: how it is called, and what it says.

onnxruntime/test/perftest/performance_runner.cc: a summary on standard output (``Run``), and in the
result file a line for each call (``DumpToFile``): the name, its time in s, the peak working set in
bytes, the CPU usage, its number.
"""

from __future__ import annotations

import math
import re

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.native.answer import Said
from edgeopt.benchmarks.native.program import Program
from edgeopt.benchmarks.native.times import Process, Spread
from edgeopt.benchmarks.plan import Plan

_NAME = "onnxruntime_perf_test"

_NO_PERCENTILES = f"{_NAME} wrote no times of single calls"

_NUMBER = r"(\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
_LOAD = re.compile(rf"Session creation time cost: ?{_NUMBER} s")
_FIRST = re.compile(rf"First inference time cost: ?{_NUMBER} ms")
_MEAN = re.compile(rf"Average inference time cost(?: total)?: ?{_NUMBER} ms")
_PEAK = re.compile(r"Peak working set size: ?(\d+)")
_SLACK = 1.5


def _arguments(artifact: Artifact, plan: Plan, batch: int, *, memory: bool) -> list[str]:
    """The program's arguments, but for the files; it always tells its peak memory.

    Args:
        artifact: What is timed.
        plan: How.
        batch: Samples a call.
        memory: Not used.
    """
    del memory
    free = {
        dim: batch if axis == 0 else 1
        for spec in artifact.inputs
        for axis, dim in enumerate(spec.shape)
        if isinstance(dim, str)
    }
    named = [part for dim, size in free.items() if size > 1 for part in ("-f", f"{dim}:{size}")]
    # Whole seconds only. -I: it makes the inputs up itself.
    seconds = str(math.ceil(plan.duration))
    return [
        *("-I", "-e", "cpu", "-x", str(plan.threads), "-m", "duration", "-t", seconds),
        *("-S", "0", *named),
    ]


def _file_arguments(path: str) -> list[str]:
    """Those that name the artifact's file, and the file for the calls' times."""
    return [path, "times.csv"]


def _read(said: Said) -> Process | None:
    """What a process told; None if it isn't what the program says."""
    load, first, mean = (pattern.search(said.words) for pattern in (_LOAD, _FIRST, _MEAN))
    seconds = _seconds(said.times or "")
    if load is None or mean is None or not seconds:
        return None
    found, told = sum(seconds) / len(seconds) * 1e3, float(mean[1])
    # Its summary is in ms and its file in s: if they disagree, one of them is in something else.
    if not told / _SLACK <= found <= told * _SLACK:
        return None
    peak = _PEAK.search(said.words)
    return Process(
        load_ms=float(load[1]) * 1e3,
        first_ms=float(first[1]) if first else None,
        warmup_calls=0,
        warmup_seconds=0.0,
        calls=Spread(len(seconds), found, 0.0, min(seconds) * 1e3, max(seconds) * 1e3),
        ns=tuple(round(each * 1e9) for each in seconds),
        peak_bytes=int(peak[1]) if peak else None,
    )


def _seconds(times: str) -> list[float]:
    try:
        found = [float(line) for line in times.split()]
    except ValueError:
        return []
    return found if all(0 < each < math.inf for each in found) else []


PROGRAM = Program(_NAME, _NO_PERCENTILES, _arguments, _file_arguments, _read)
"""This one."""
