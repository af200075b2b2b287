"""Kept findings about an artifact: how far it is from its source, and how fast it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import judging
import onnxruntime
from contenders import Contender, Task, artifact
from environments import EnvironmentUnavailableError
from figures import Interval
from kept import Kept, cpu, digest, once
from processes import ProcessFailedError

import edgeopt

Judge = Callable[..., dict[str, float]]
Verdict = dict[str, dict[str, float]]
RUNTIME = f"onnxruntime {onnxruntime.__version__}"


def judged(
    task: Task, contender: Contender, judge: Judge, modes: Sequence[str] = ("emulated", "here")
) -> Verdict | None:
    """What a judge says of a contender's artifact; None where there is no artifact.

    Args:
        task: What it was made of.
        contender: Who made it.
        judge: :func:`judging.classifier` or :func:`judging.embedding`.
        modes: ``emulated``, with exact sums; ``here``, as this machine runs it; ``harder``, with
            exact sums on the task's harder samples.

    Returns:
        The judge's figures for each mode.
    """
    try:
        made = artifact(contender, task)
    except (EnvironmentUnavailableError, ProcessFailedError):
        return None
    kept, found = Kept(task.name), {}
    for mode in modes:
        data = task.held_out if mode != "harder" or task.harder is None else task.harder
        depends = {
            "artifact": digest(made),
            "model": digest(task.model),
            "data": digest(data),
            "runtime": RUNTIME,
            "machine": cpu(),
        }
        found[mode] = once(
            kept, f"{contender.name}: {mode}", depends,
            lambda on=data, exact=mode != "here": judge(task.model, made, on, emulated=exact),
            lasting=True,
        )  # fmt: skip
    return found


def integer_layers(task: Task, contender: Contender) -> str:
    """How many layers the runtime computes in integers; the contender's artifact is there."""
    made = artifact(contender, task)
    depends = {"artifact": digest(made), "runtime": RUNTIME, "machine": cpu()}
    name = f"{contender.name}: integer layers"
    return str(
        once(Kept(task.name), name, depends, lambda: judging.integer_layers(made), lasting=True)
    )


def latency(task: Task, contender: Contender, baseline: Contender | None = None) -> str:
    """What :func:`paired_latency` gives, for a table."""
    found = paired_latency(task, contender, baseline)
    return "-" if found is None else str(found)


def paired_latency(
    task: Task, contender: Contender, baseline: Contender | None = None
) -> Interval | None:
    """The latency of an artifact over the float model's, or another artifact's.

    Both run in turns in the same processes, one thread, batch 1. None where there is no artifact.
    """
    try:
        below = task.model if baseline is None else artifact(baseline, task)
        made = artifact(contender, task)
    except (EnvironmentUnavailableError, ProcessFailedError):
        return None
    depends = {
        "artifacts": digest(below, made), "runtime": RUNTIME, "machine": cpu(),
        "data": digest(task.calibration), "core": digest(*paired_core()),
    }  # fmt: skip
    name = f"{contender.name}: latency over {baseline.name if baseline else 'float'}"
    return Interval(
        *once(Kept(task.name), name, depends, lambda: _ratio([below, made], task.calibration))
    )


def paired_core() -> list[Path]:
    """The sources that a ratio of latencies depends on."""
    return sorted((Path(edgeopt.__file__).parent / "benchmarks").rglob("*.py"))


def _ratio(artifacts: Sequence[Path], data: Path) -> tuple[float, float, float]:
    ratio = edgeopt.benchmark(artifacts, evaluation=data, save=False).ratios[-1]
    assert ratio is not None
    return ratio.point, ratio.low, ratio.high
