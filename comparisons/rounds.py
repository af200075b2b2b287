"""Whole processes of the contenders, timed in turns with the plain process of the same round.

What counts is processor time, user and system, of all of a side's processes: on one core with one
thread it is the wall clock's on a machine of one's own, and holds where others are at work too.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from contenders import Contender, Task, produce
from environments import EnvironmentUnavailableError
from kept import Kept
from processes import ProcessFailedError, Run, run_on_one_core

ROUNDS = int(os.environ.get("COMPARISONS_ROUNDS", "3"))
PLAIN = Contender("plain", "python {peers}/plain.py {model} {calibration}")
"""A process that imports onnxruntime, loads the float model and runs each sample at batch 1."""


@dataclass(frozen=True)
class Timing:
    """What was found of one contender.

    Args:
        seconds: Processor time of the whole process in each round.
        plain: Of the plain process beside it in each round, in s.
        peaks: Peak memory in each round, in bytes.
        failure: Why there is none of this, in one line.
    """

    seconds: tuple[float, ...] = ()
    plain: tuple[float, ...] = ()
    peaks: tuple[int, ...] = ()
    failure: str = ""

    @property
    def median(self) -> float:
        """The median of its seconds."""
        return statistics.median(self.seconds)

    @property
    def ratios(self) -> list[float]:
        """Its time over the plain process's, round by round."""
        return [one / other for one, other in zip(self.seconds, self.plain, strict=True)]

    @property
    def peak(self) -> float:
        """The median of its peaks, in MB of 10^6 bytes."""
        return statistics.median(self.peaks) / 1e6


def timed(task: Task, contenders: Sequence[Contender]) -> dict[str, Timing]:
    """The timings of contenders by name; rounds that were kept are not run again."""
    kept, rng = Kept(task.name), random.Random(0)
    for number in range(ROUNDS):
        for contender in rng.sample(contenders, len(contenders)):
            found = _kept(kept, contender, task)
            if len(found.seconds) <= number and not found.failure:
                print(f"  round {number + 1}: {contender.name}", file=sys.stderr, flush=True)
                _keep(kept, contender, task, _one_round(contender, task, found, rng))
    return {contender.name: _kept(kept, contender, task) for contender in contenders}


def _one_round(contender: Contender, task: Task, found: Timing, rng: random.Random) -> Timing:
    sides = [contender, PLAIN]
    try:
        runs = {side: _run(side, task) for side in rng.sample(sides, len(sides))}
    except EnvironmentUnavailableError as error:
        return Timing(failure=f"can't be installed: {error}")
    except ProcessFailedError as error:
        return Timing(failure=error.reason)
    return Timing(
        (*found.seconds, runs[contender].cpu_seconds),
        (*found.plain, runs[PLAIN].cpu_seconds),
        (*found.peaks, runs[contender].peak_bytes),
    )


def _run(side: Contender, task: Task) -> Run:
    return run_on_one_core(side.words(task)) if side is PLAIN else produce(side, task)


def _kept(kept: Kept, contender: Contender, task: Task) -> Timing:
    value = kept.get(f"{contender.name}: time", contender.depends(task))
    if value is None:
        return Timing()
    return Timing(
        tuple(value["seconds"]), tuple(value["plain"]), tuple(value["peaks"]), value["failure"]
    )


def _keep(kept: Kept, contender: Contender, task: Task, timing: Timing) -> None:
    value = {
        "seconds": timing.seconds,
        "plain": timing.plain,
        "peaks": timing.peaks,
        "failure": timing.failure,
    }
    kept.put(f"{contender.name}: time", contender.depends(task), value)
