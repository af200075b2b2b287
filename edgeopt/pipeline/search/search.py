"""The search itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import msgspec

from edgeopt.benchmarks.conditions import Machine
from edgeopt.benchmarks.paired import RUNTIMES
from edgeopt.benchmarks.result import Ratio
from edgeopt.core.progress import Progress
from edgeopt.pipeline.search.budget import Budget, Quality
from edgeopt.pipeline.search.judge import Judge
from edgeopt.pipeline.search.record import Arithmetic, Candidate, Mix, Point, SearchRecord
from edgeopt.pipeline.search.selection import fewest, ordered

FEW = 96
"""Samples on which each layer is asked. On 24 the order had little to do with that on 400 (rank
correlation .59; .75 on 100): single samples have most of the noise."""
TIMED = 8
"""Candidates whose latency is measured, those that bring most."""
ON_CURVE = 6
"""Points of the trade-off whose latency is measured beside the float model's, besides int8's and
the chosen one's."""
ASKING = 0.5
"""Share of the time after which no more layers are asked."""
TIMING = 0.2
"""Share of the time that each of the two rounds of timing may take, roughly."""
PROCESSES = 5


@dataclass(frozen=True)
class Made:
    """An artifact that was made to be tried.

    Args:
        path: Its file.
        floating: The layers of it that aren't integer.
    """

    path: Path
    floating: frozenset[str]


Make = Callable[[Mix, bool], Made]
"""Makes the artifact of a mix under a name of its own: as the user will get it or, where the second
argument is true, without the rounding of weights that takes long."""


@dataclass
class Search:
    """One search.

    Args:
        budget: What must hold.
        layers: The names of the layers that may be spared.
        arithmetics: What they may have instead of 8 bits.
        make: Makes artifacts.
        reference: Makes the float model in their format.
        judge: Finds their quality.
        seconds: How long it may take; what is needed for an answer is done in any case.
        target: The device it is for.
        progress: Told how far it is.
        replayed: A search whose candidates, with their latencies, are taken as they are.
    """

    budget: Budget
    layers: Sequence[str]
    arithmetics: Sequence[Arithmetic]
    make: Make
    reference: Callable[[], Path]
    judge: Judge
    seconds: float
    target: str
    progress: Progress
    replayed: SearchRecord | None = None
    _began: float = field(default_factory=monotonic)
    _points: dict[Mix, Point] = field(default_factory=dict)
    _made: dict[Mix, Made] = field(default_factory=dict)
    _machine: str = ""
    _float_ratio: Ratio | None = None

    def run(self) -> SearchRecord:
        """Search; the record's ``chosen`` is None if nothing meets the budget."""
        start, met = self._attempt(Mix())
        integer = [name for name in self.layers if name not in self._made[Mix()].floating]
        candidates: list[Candidate] = []
        chosen: Point | None = start
        if not met:
            candidates = self._candidates(integer)
            order = ordered(_with_unasked(candidates, integer), len(integer), self._float_ratio)
            chosen = fewest(order, self._attempt, in_time=self._in_time)
        found = None if chosen is None else chosen.mix
        points = self._curve(found)
        return SearchRecord(
            graph_sha256=self.judge.graph.sha256,
            target=self.target,
            budget=self.budget,
            data=self.judge.split.record(),
            layers=len(integer),
            candidates=tuple(candidates),
            float_ratio=self._float_ratio,
            points=points,
            chosen=found,
            seconds=round(monotonic() - self._began, 1),
            complete=met or len(_with_unasked(candidates, integer)) == len(candidates),
            emulated=self.judge.emulated,
            machine=self._machine,
        )

    def _in_time(self, share: float = 1.0) -> bool:
        return monotonic() - self._began < share * self.seconds

    def _attempt(self, mix: Mix) -> tuple[Point, bool]:
        if mix not in self._points:
            step = f"trying {_counted(mix)}"
            self.progress(step, 0, None)
            self._made[mix] = self.make(mix, False)
            self._points[mix] = Point(mix, self.judge.quality(self._made[mix].path, step))
        point = self._points[mix]
        return point, self.budget.met(point.quality)

    # What each layer brings ----------------------------------------------------------------------

    def _candidates(self, integer: Sequence[str]) -> list[Candidate]:
        if self.replayed is not None and self.replayed.candidates:
            self._machine = self.replayed.machine
            self._float_ratio = self.replayed.float_ratio
            return [c for c in self.replayed.candidates if c.layer in integer]
        return self._timed(self._asked(integer))

    def _asked(self, integer: Sequence[str]) -> list[Candidate]:
        """What sparing each layer brings, by itself."""
        rough = self.make(Mix(), True)
        noise = _noise(self.judge.quality(rough.path, most=FEW))
        asked = [(how, name) for how in self.arithmetics for name in integer]
        found = []
        for done, (how, name) in enumerate(asked):
            if not self._in_time(ASKING):
                break
            self.progress("asking each layer", done, len(asked))
            candidate = Candidate(name, how, 0.0)
            made = self.make(Mix.of([candidate]), True)
            left = _noise(self.judge.quality(made.path, most=FEW))
            made.path.unlink()
            gain = (noise - left) / noise if noise else 0.0
            found.append(msgspec.structs.replace(candidate, gain=gain))
        return sorted(found, key=lambda c: (-c.gain, c.layer, c.arithmetic))

    def _timed(self, candidates: list[Candidate]) -> list[Candidate]:
        """With the latency that each of the first, and the whole model in float, add to int8's."""
        first = [c for c in candidates[:TIMED] if c.gain > 0]
        if len(first) < 2:
            return candidates
        made = [self.make(Mix.of([c]), True) for c in first]
        beside = [self._made[Mix()].path, self.reference()]
        _, self._float_ratio, *ratios = self._ratios([*beside, *(m.path for m in made)])
        for one in made:
            one.path.unlink()
        timed = [
            msgspec.structs.replace(c, ratio=ratio) for c, ratio in zip(first, ratios, strict=True)
        ]
        return [*timed, *candidates[len(first) :]]

    # The trade-off -------------------------------------------------------------------------------

    def _curve(self, chosen: Mix | None) -> tuple[Point, ...]:
        """Every point, with the latency of those that count; int8 alone is no trade-off."""
        points = sorted(self._points.values(), key=lambda p: (p.mix.count, p.mix.keep_float))
        known = {p.mix: p.ratio for p in self.replayed.points} if self.replayed else {}
        measured = {p.mix: known[p.mix] for p in points if known.get(p.mix) is not None}
        if not measured and len(points) > 1:
            first = [Mix()] if chosen is None else [Mix(), chosen]
            shown = list(dict.fromkeys([*first, *(p.mix for p in points)]))[: 2 + ON_CURVE]
            paths = [self.reference(), *(self._made[mix].path for mix in shown)]
            measured = dict(zip(shown, self._ratios(paths)[1:], strict=True))
        return tuple(msgspec.structs.replace(p, ratio=measured.get(p.mix)) for p in points)

    def _ratios(self, paths: list[Path]) -> list[Ratio | None]:
        """Latency over that of the first, measured in turns; None where it can't be."""
        from edgeopt.pipeline.benchmark import benchmark

        if self.judge.fmt not in RUNTIMES:
            return [None] * len(paths)
        share = TIMING * self.seconds / (PROCESSES * len(paths))
        report = benchmark(
            paths,
            duration=min(max(share, 0.05), 0.3),
            processes=PROCESSES,
            save=False,
            progress=self.progress,
        )
        self._machine = _told(report.measurements[0].machine)
        return list(report.ratios)


def _with_unasked(candidates: Sequence[Candidate], integer: Sequence[str]) -> list[Candidate]:
    """The layers that there was no time to ask may be spared too, after all others."""
    asked = {c.layer for c in candidates if c.arithmetic is Arithmetic.FLOAT}
    rest = [Candidate(name, Arithmetic.FLOAT, -math.inf) for name in integer if name not in asked]
    return [*candidates, *rest]


def _counted(mix: Mix) -> str:
    if mix.count == 0:
        return "int8"
    layers = "1 layer" if mix.count == 1 else f"{mix.count} layers"
    return f"{layers} with more bits"


def _told(machine: Machine) -> str:
    return machine.cpu.value or machine.architecture


def _noise(quality: Quality) -> float:
    """Noise power over the signal's."""
    return 0.0 if quality.sqnr_db is None else float(10 ** (-quality.sqnr_db / 10))
