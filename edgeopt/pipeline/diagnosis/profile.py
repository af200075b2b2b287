"""Where the time goes, by operator, as the runtime's own profiler has it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import msgspec

from edgeopt.benchmarks.conditions import Machine
from edgeopt.benchmarks.device.machine import machine
from edgeopt.core.runtime import RUNTIME, open_session, run
from edgeopt.core.tensors import Batch
from edgeopt.pipeline.diagnosis.runtime_records import OpTime, Timing

THREADS = 1
_WARM_UP = 2
_SECONDS = 0.7
_FEWEST, _MOST = 5, 100


def time_ops(float_path: Path, artifact: Path, inputs: Batch, scratch: Path) -> Timing:
    """Time both sides operator by operator, on one thread, with this machine's kernels.

    Args:
        float_path: The float graph.
        artifact: The artifact.
        inputs: One sample.
        scratch: A folder for the profiler's files.
    """
    runs = _runs(float_path, artifact, inputs)
    before, after = (_profile(path, inputs, runs, scratch) for path in (float_path, artifact))
    totals = sum(before.values()), sum(after.values())
    ops = sorted(
        before.keys() | after.keys(), key=lambda op: (-after.get(op, 0), -before.get(op, 0))
    )
    return Timing(
        machine=msgspec.convert(machine(), Machine),
        runtime=RUNTIME,
        threads=THREADS,
        runs=runs,
        float_ms=totals[0],
        artifact_ms=totals[1],
        ops=tuple(_op(op, before, after, totals) for op in ops),
    )


def _op(
    op: str, before: Mapping[str, float], after: Mapping[str, float], totals: tuple[float, float]
) -> OpTime:
    one, other = before.get(op, 0.0), after.get(op, 0.0)
    return OpTime(
        op=op,
        float_ms=one,
        float_share=one / totals[0] if totals[0] else 0.0,
        artifact_ms=other,
        artifact_share=other / totals[1] if totals[1] else 0.0,
    )


def _runs(float_path: Path, artifact: Path, inputs: Batch) -> int:
    """As many as take about :data:`_SECONDS` on the slower side."""
    slowest = 0.0
    for path in (float_path, artifact):
        session = open_session(path, threads=THREADS)
        run(session, None, inputs, path.name)
        start = perf_counter()
        run(session, None, inputs, path.name)
        slowest = max(slowest, perf_counter() - start)
    return max(_FEWEST, min(_MOST, round(_SECONDS / max(slowest, 1e-6))))


def _profile(path: Path, inputs: Batch, runs: int, scratch: Path) -> dict[str, float]:
    """The median time in each operator over the runs, in ms."""
    session = open_session(path, threads=THREADS, profile=scratch / "profile")
    for _ in range(_WARM_UP + runs):
        run(session, None, inputs, path.name)
    written = Path(session.end_profiling())
    events = json.loads(written.read_text(encoding="utf-8"))
    written.unlink()
    return by_operator(events, runs)


def by_operator(events: list[dict[str, Any]], runs: int) -> dict[str, float]:
    """The median time in each operator over the last ``runs`` inferences, in ms.

    Args:
        events: The profiler's: each inference is one called ``model_run``, each operator one of the
            category ``Node``; times are in microseconds.
        runs: How many inferences count; those before them are the warm-up.
    """
    whole = sorted((e for e in events if e["name"] == "model_run"), key=lambda e: float(e["ts"]))
    kernels = sorted(
        (e for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time")),
        key=lambda e: (float(e["ts"]), -float(e["dur"])),
    )
    found: dict[str, list[float]] = defaultdict(list)
    for number, inference in enumerate(whole[-runs:]):
        for op, spent in _alone(kernels, inference):
            times = found[op]
            times += [0.0] * (number + 1 - len(times))
            times[number] += spent / 1000
    return {op: median(times + [0.0] * (runs - len(times))) for op, times in found.items()}


def _alone(kernels: list[dict[str, Any]], inference: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Each operator's own time, in microseconds: what runs inside of an If or a Loop taken off."""
    first, last = inference["ts"], inference["ts"] + inference["dur"]
    inside = [e for e in kernels if first <= e["ts"] <= last]
    own = [float(e["dur"]) for e in inside]
    around: list[int] = []
    for index, event in enumerate(inside):
        while around and event["ts"] >= inside[around[-1]]["ts"] + inside[around[-1]]["dur"]:
            around.pop()
        if around:
            own[around[-1]] -= event["dur"]
        around.append(index)
    for event, spent in zip(inside, own, strict=True):
        yield event["args"]["op_name"], max(spent, 0.0)
