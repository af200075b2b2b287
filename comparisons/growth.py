"""Memory of calibration as the samples become many: peak of one whole process at two counts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import sides
from contenders import Contender, Task, fresh
from environments import EnvironmentUnavailableError
from figures import Finding, plain
from kept import Kept
from processes import ProcessFailedError, run_on_one_core
from tables import table

EDGEOPT = tuple(
    replace(
        side,
        command=side.command.replace("{calibration}", "{peers}/samples.py:photographs_{count}"),
    )
    for side in (*sides.CALIBRATIONS, sides.DEFAULT)
)
PEERS = tuple(
    replace(side, command=side.command.replace("{calibration}", "{calibration}:{count}"))
    for side in (
        sides.ORT_MINMAX,
        sides.ORT_WHOLE_PERCENTILE,
        sides.ORT_PERCENTILE,
        sides.OLIVE,
        sides.NNCF,
    )
)
MANY, FULL, FEW = (32, 4096), (512, 4096), (16, 48)
"""Samples: ours by the goal, ours once their buffers are full, and what others can hold."""


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    task = _task(assets)
    head = ("peak memory, MB", "samples", "at the first", "at the second", "growth, kB a sample")
    rows = [
        [side.name, f"{counts[0]} and {counts[1]}", *_cells(task, side, counts)]
        for sides_of, counts in ((EDGEOPT, MANY), (EDGEOPT, FULL), (PEERS, FEW))
        for side in sides_of
    ]
    return [
        "The samples are made of the 128 photographs as they are asked for, so that they take no "
        "memory themselves. Goal: under 2 kB a sample. NVIDIA's Model Optimizer isn't here: it "
        "takes its samples as one array in memory.",
        "",
        *table(head, rows),
        "",
        "```text",
        *(f"{side.name:{_width()}}  {side.shown(task)}" for side in (*EDGEOPT, *PEERS)),
        "```",
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    task = _task(assets)
    names = ("fast", "default", "exact", "convert")
    peer = f"onnxruntime's min-max {_growth(task, PEERS[0], FEW):.0f} kB, {FEW[0]} to {FEW[1]}"
    for name, side in zip(names, EDGEOPT, strict=True):
        yield plain(f"growth.{name}", _growth(task, side, MANY), 2, peer)
        yield plain(f"growth.full.{name}", _growth(task, side, FULL), 2)


def _task(assets: Path) -> Task:
    photographs = assets / "photographs_calibration.npz"
    os.environ["COMPARISONS_PHOTOGRAPHS"] = str(photographs)
    return replace(sides.efficientnet(assets), name="growth", calibration=photographs)


def _growth(task: Task, side: Contender, counts: tuple[int, int]) -> float:
    """In kB a sample."""
    few, many = (_peak(task, side, count) for count in counts)
    return (many - few) / (counts[1] - counts[0]) / 1e3


def _width() -> int:
    return max(len(side.name) for side in (*EDGEOPT, *PEERS))


def _cells(task: Task, side: Contender, counts: tuple[int, int]) -> Iterator[str]:
    try:
        peaks = [_peak(task, side, count) for count in counts]
    except (EnvironmentUnavailableError, ProcessFailedError) as error:
        yield from ("failed", getattr(error, "reason", str(error)), "-")
        return
    yield from (f"{peak / 1e6:.0f}" for peak in peaks)
    yield f"{_growth(task, side, counts):.2f}"


def _peak(task: Task, side: Contender, count: int) -> int:
    asked = replace(side, command=side.command.replace("{count}", str(count)))
    kept, name, depends = Kept(task.name), f"{side.name}: {count}", asked.depends(task)
    peak: int | None = kept.get(name, depends)
    if peak is None:
        print(f"  {name} samples", file=sys.stderr, flush=True)
        fresh(asked.folder(task))
        peak = run_on_one_core(asked.words(task)).peak_bytes
        kept.put(name, depends, peak)
    return peak
