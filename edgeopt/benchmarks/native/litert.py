"""LiteRT's ``benchmark_model``: how it is called, and what it says.

Its output is text: tensorflow/lite/tools/benchmark/benchmark_model.cc (``OnBenchmarkEnd``) and
tensorflow/core/util/stats_calculator.h (``Stat::OutputToStream``), which have changed little since
2019; the percentiles came in 2024.
"""

from __future__ import annotations

import re

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.native.answer import Said
from edgeopt.benchmarks.native.program import Program
from edgeopt.benchmarks.native.times import Process, Spread
from edgeopt.benchmarks.plan import Plan
from edgeopt.core.tensors import TensorSpec

_NAME = "benchmark_model"

_NO_PERCENTILES = (
    f"{_NAME} gives no times of single calls; its median is the median of the processes' medians"
)

_NUMBER = r"\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_RUN = re.compile(rf"\bcount=(\d+)((?: \w+={_NUMBER}(?:\(all same\))?)+)")
_FIELD = re.compile(rf" (\w+)=({_NUMBER})")
_END = re.compile(
    rf"Inference timings in us: Init: ({_NUMBER}), First inference: ({_NUMBER}), "
    rf"Warmup \(avg\): ({_NUMBER}), Inference \(avg\): ({_NUMBER})"
)
_PEAK = re.compile(rf"Overall peak memory footprint \(MB\) via periodic monitoring: ({_NUMBER})")
_DELEGATE = re.compile(r"Created TensorFlow Lite (\w+) delegate")
_MB = 1024 * 1024  # memory_usage_monitor.h divides kilobytes by 1024


def _arguments(artifact: Artifact, plan: Plan, batch: int, *, memory: bool) -> list[str]:
    """The program's arguments, but for the artifact's file.

    Args:
        artifact: What is timed.
        plan: How.
        batch: Samples a call.
        memory: Whether its memory is watched, which may slow the calls down.
    """
    shapes = [_shape(spec, batch) for spec in artifact.inputs]
    dynamic = any(isinstance(d, str) for spec in artifact.inputs for d in spec.shape)
    # The names that are given here need not be the file's own, which may hold anything.
    names = ",".join(f"input{index}" for index, _ in enumerate(shapes))
    return [
        f"--num_threads={plan.threads}",
        f"--min_secs={plan.duration:g}",
        "--num_runs=1",
        f"--warmup_min_secs={plan.warmup:g}",
        "--warmup_runs=1",
        f"--max_secs={plan.timeout:g}",
        *([f"--input_layer={names}", f"--input_layer_shape={':'.join(shapes)}"] if dynamic else []),
        *(["--report_peak_memory_footprint=true"] if memory else []),
    ]


def _file_arguments(path: str) -> list[str]:
    """Those that name the artifact's file."""
    return [f"--graph={path}"]


def _read(said: Said) -> Process | None:
    """What a process told; None if it isn't what the program says."""
    end = _END.search(said.words)
    runs = list(_RUN.finditer(said.words))
    if end is None or len(runs) < 2:
        return None
    warmup, timed = _spread(runs[-2]), _spread(runs[-1])
    if warmup is None or timed is None:
        return None
    init, first = float(end[1]) / 1e3, float(end[2]) / 1e3
    peak = _PEAK.search(said.words)
    delegate = _DELEGATE.search(said.words)
    return Process(
        load_ms=init,
        first_ms=first,
        warmup_calls=warmup.count - 1,
        warmup_seconds=max(0.0, warmup.count * warmup.mean - first) / 1e3,
        calls=timed,
        peak_bytes=round(float(peak[1]) * _MB) if peak else None,
        provider=delegate[1] if delegate else "CPU",
    )


def _spread(run: re.Match[str]) -> Spread | None:
    """A line such as ``count=9 first=87 curr=51 min=51 max=87 avg=58.1 std=11``, in us."""
    fields = {name: float(value) / 1e3 for name, value in _FIELD.findall(run[2])}
    if "(all same)" in run[2] or set(fields) == {"curr"}:
        each = fields["curr"]
        fields = {**dict.fromkeys(("min", "max", "avg", "median"), each), "std": 0.0, **fields}
    if not {"min", "max", "avg", "std"} <= set(fields) or fields["avg"] <= 0:
        return None
    return Spread(
        count=int(run[1]),
        mean=fields["avg"],
        stdev=fields["std"],
        min=fields["min"],
        max=fields["max"],
        median=fields.get("median"),
    )


def _shape(spec: TensorSpec, batch: int) -> str:
    sizes = (d if isinstance(d, int) else batch if i == 0 else 1 for i, d in enumerate(spec.shape))
    return ",".join(map(str, sizes))


PROGRAM = Program(_NAME, _NO_PERCENTILES, _arguments, _file_arguments, _read)
"""This one."""
