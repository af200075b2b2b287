"""Fresh processes that each time every net: a line of JSON a process, added to at any time."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
from family import made
from neighbours import neighbours

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.device.machine import machine
from edgeopt.benchmarks.device.statistics import low
from edgeopt.benchmarks.inputs import save_inputs, timing_inputs
from edgeopt.benchmarks.messages import PairedAnswer
from edgeopt.benchmarks.paired import Subject, time_together
from edgeopt.benchmarks.plan import Plan
from edgeopt.data.random import RandomDataset

DATA = Path(__file__).resolve().parent / "data"
CONDITIONS = {"quiet": nullcontext, "noisy": neighbours}

ARMS = ("baseline", "copy", "same", "faster", "slower 5%", "slower 10%")
"""What each process times; *copy* and *same* are the baseline's file, loaded twice more."""

BATCH = 6
"""Samples a call, with which a call takes about a millisecond."""

CPU = str(machine()["cpu"]["value"])
TUNING = "tuning"
QUANTILES = (0.05, 0.1, 0.25, 0.5)
PLAN = Plan(batch=BATCH, duration=0.3, processes=1)
"""The gate's own: 0.3 s of timed calls of each session in each process."""


@dataclass(frozen=True)
class Timed:
    """One arm in one process, in us.

    Args:
        quantiles: Of all its calls, those of :data:`QUANTILES`.
        low: What the gate sums up each block of calls by, in the order of their turns.
        means: The mean of each block.
    """

    quantiles: tuple[float, ...]
    low: tuple[float, ...]
    means: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of all its calls."""
        return fmean(self.means)


@dataclass(frozen=True)
class Process:
    """One process.

    Args:
        number: Which one of its condition; it draws every order.
        at: When, in s since 1970.
        cpu: Where.
        arms: What was found, by arm.
    """

    number: int
    at: int
    cpu: str
    arms: dict[str, Timed]


def collect(condition: str, part: int, until: int) -> None:
    """Add processes to a file of a condition until it holds so many; it may be interrupted.

    Args:
        condition: One of :data:`CONDITIONS`.
        part: Which file: several can be added to at once, and its number seeds all orders.
        until: How many there are to be.
    """
    path = DATA / f"{condition}.{part}.jsonl"
    path.parent.mkdir(exist_ok=True)
    numbers = range(len(_lines(path)), until)
    with tempfile.TemporaryDirectory() as folder, CONDITIONS[condition](), path.open("a") as file:
        for process in _timed(Path(folder), part, numbers):
            file.write(json.dumps(asdict(process), separators=(",", ":")) + "\n")
            file.flush()


def tuning(condition: str) -> list[Process]:
    """The processes that everything was chosen on, which no verdict is counted on.

    They were collected before the others, with 416 and 704 columns, which came out at 4.6 % and
    9.7 %.
    """
    return _read(DATA / f"{condition}.{TUNING}.jsonl")


def held_out(condition: str) -> list[Process]:
    """All others of a condition, part by part in the order in which they ran."""
    parts = [path for path in DATA.glob(f"{condition}.*.jsonl") if path.suffixes[0][1:] != TUNING]
    ordered = sorted(parts, key=lambda path: int(path.suffixes[0][1:]))
    return [process for part in ordered for process in _read(part)]


def _read(path: Path) -> list[Process]:
    return [_process(json.loads(line)) for line in _lines(path)]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _process(content: dict[str, Any]) -> Process:
    arms = {name: Timed(**arm) for name, arm in content.pop("arms").items()}
    return Process(arms=arms, **content)


def _timed(folder: Path, part: int, numbers: Sequence[int]) -> Iterator[Process]:
    plan, paths = msgspec.structs.replace(PLAN, seed=part), made(folder)
    subjects = [_subject(paths.get(arm, paths["baseline"]), folder) for arm in ARMS]
    for number in numbers:
        (answer,) = time_together(subjects, plan, first=number)
        arms = {arm: _found(answer, index) for index, arm in enumerate(ARMS)}
        yield Process(number, round(time.time()), CPU, arms)


def _subject(path: Path, folder: Path) -> Subject:
    artifact, stored = read_artifact(path), folder / "inputs.npz"
    given = artifact.given()
    save_inputs(timing_inputs(artifact, RandomDataset(given, BATCH, 0), given, BATCH), stored)
    return Subject(artifact, stored)


def _found(answer: PairedAnswer, index: int) -> Timed:
    turns = answer.turns(index)
    return Timed(
        _us(np.quantile(answer.samples(index), QUANTILES)),
        _us([low(turn) for turn in turns]),
        _us([fmean(turn) for turn in turns]),
    )


def _us(ns: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(each / 1e3, 1) for each in ns)
