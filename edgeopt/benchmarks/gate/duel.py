"""Timing a baseline, its copy and a candidate, process by process, until there is a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import monotonic

import msgspec

from edgeopt.benchmarks.device.statistics import log_ratio
from edgeopt.benchmarks.gate.slowdown import Look, Process, look
from edgeopt.benchmarks.gate.spending import levels, looks
from edgeopt.benchmarks.gate.verdict import ProcessRatios, Verdict
from edgeopt.benchmarks.messages import PairedAnswer
from edgeopt.benchmarks.paired import Subject, time_together
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.process import Ask, ask
from edgeopt.core.errors import UsageError
from edgeopt.core.progress import Progress

BASELINE, COPY, CANDIDATE = range(3)
"""The places of the three in a process's answer."""

Times = Callable[[int, int], Iterator[PairedAnswer]]
"""Gives the answers of so many processes, the first of which has that number."""


@dataclass(frozen=True)
class Rules:
    """When there is a verdict.

    Args:
        allowed: The slowdown that is allowed, as a share.
        cap: The most processes; at least 2.
        seconds: Time after which no process is started; no verdict that isn't there by then.
    """

    allowed: float
    cap: int
    seconds: float

    def __post_init__(self) -> None:
        if self.cap < 2:
            raise UsageError(
                f"--max-processes is {self.cap}", hint="one process gives no interval: 2 or more"
            )
        if not self.seconds > 0:
            raise UsageError(f"--max-time is {self.seconds:g} s", hint="use more than 0")


@dataclass
class Duel:
    """What is known so far.

    Args:
        answers: Of every process.
        look: The last one; None before the first.
        out_of_time: Whether time ended it.
    """

    answers: list[PairedAnswer] = field(default_factory=list)
    look: Look | None = None
    out_of_time: bool = False

    @property
    def verdict(self) -> Verdict:
        """On latency; what isn't decided is inconclusive."""
        decided = self.look.verdict if self.look is not None else None
        return decided or Verdict.INCONCLUSIVE

    @property
    def processes(self) -> list[Process]:
        """What each process found."""
        return [_process(answer) for answer in self.answers]

    @property
    def ratios(self) -> tuple[ProcessRatios, ...]:
        """Each process's own ratios, for those who want to see how far they differ."""
        return tuple(
            ProcessRatios(candidate=math.exp(each.candidate.value), copy=math.exp(each.copy.value))
            for each in self.processes
        )


def _process(answer: PairedAnswer) -> Process:
    baseline, copy, candidate = (answer.turns(i) for i in (BASELINE, COPY, CANDIDATE))
    return Process(log_ratio(candidate, baseline, copy), log_ratio(copy, baseline))


def duel(times: Times, rules: Rules, progress: Progress) -> Duel:
    """Start processes until one look decides, the cap is reached, or time is up.

    Only the planned looks decide: one in between would spend error that isn't there.

    Args:
        times: Starts processes.
        rules: When there is a verdict.
        progress: Told after each process.
    """
    found, began = Duel(), monotonic()
    planned = looks(rules.cap)
    for at, level in zip(planned, levels(planned), strict=True):
        progress("timing", len(found.answers), rules.cap)
        while len(found.answers) < at:
            if monotonic() - began > rules.seconds:
                return _ended(found, rules, level)
            found.answers += times(1, len(found.answers))
            progress("timing", len(found.answers), rules.cap)
        found.look = look(found.processes, rules.allowed, level)
        if found.look.verdict is not None:
            break
    return found


def _ended(found: Duel, rules: Rules, level: float) -> Duel:
    """What there is when time is up, as a figure but not as a verdict."""
    found.out_of_time = True
    if len(found.answers) > 1:
        found.look = replace(look(found.processes, rules.allowed, level), verdict=None)
    return found


def times_here(baseline: Subject, candidate: Subject, plan: Plan) -> Times:
    """Processes on this machine; the copy is the same file, loaded once more."""
    return times_by(ask, baseline, candidate, plan)


def times_by(by: Ask, baseline: Subject, candidate: Subject, plan: Plan) -> Times:
    """The same by whatever starts processes: on a device, say."""

    def start(count: int, first: int) -> Iterator[PairedAnswer]:
        some = msgspec.structs.replace(plan, processes=count)
        return time_together((baseline, baseline, candidate), some, first=first, by=by)

    return start
