"""The search itself."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import msgspec

from edgeopt.benchmarks.result import Ratio
from edgeopt.core.errors import GateError, UsageError
from edgeopt.core.progress import Progress
from edgeopt.pipeline.search.budget import Budget, Quality
from edgeopt.pipeline.search.judge import Judge
from edgeopt.pipeline.search.record import Layer, Point, SearchRecord
from edgeopt.pipeline.search.selection import fewest, ordered

FEW = 24
"""Samples on which each layer is asked: enough to rank them."""
TIMED = 8
"""Layers whose latency is measured, those that bring most."""
ON_CURVE = 6
"""Points of the trade-off whose latency is measured beside the float model's."""

Make = Callable[[tuple[str, ...]], Path]
"""Makes the int8 artifact with these layers float, under a name of its own."""


@dataclass
class Search:
    """One search.

    Args:
        budget: What must hold.
        layers: The names of the layers that may be kept float.
        make: Makes artifacts.
        judge: Finds their quality.
        seconds: How long it may take; what is needed for an answer is done in any case.
        progress: Told how far it is.
        replayed: A search whose layers, gains and latencies are taken as they are.
    """

    budget: Budget
    layers: Sequence[str]
    make: Make
    judge: Judge
    seconds: float
    progress: Progress
    replayed: SearchRecord | None = None
    _began: float = field(default_factory=monotonic)
    _points: dict[tuple[str, ...], Point] = field(default_factory=dict)
    _paths: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def run(self) -> SearchRecord:
        """Search.

        Raises:
            GateError: If no artifact with an integer layer meets the budget; tells the best.
            UsageError: If the replayed search is one of another model.
        """
        graph = self.judge.graph.sha256
        if self.replayed is not None and self.replayed.graph_sha256 != graph:
            raise UsageError(
                "the search to be replayed is one of another model", hint="search this one"
            )
        start, met = self._attempt(())
        asked: list[Layer] = []
        chosen: Point | None = start
        if not met:
            asked = list(self.replayed.layers) if self.replayed else self._timed(self._asked())
            # With every layer float nothing would be int8.
            order = ordered(asked)[: len(self.layers) - 1]
            chosen = fewest(order, self._attempt, in_time=self._in_time)
        if chosen is None:
            raise self._unreachable()
        return SearchRecord(
            graph_sha256=graph,
            budget=self.budget,
            layers=tuple(asked),
            points=self._curve(chosen),
            chosen=chosen.kept,
            seconds=monotonic() - self._began,
            complete=met or len(asked) == len(self.layers),
            emulated=self.judge.emulated,
            machine=platform.processor() or platform.machine(),
        )

    def _in_time(self, share: float = 1.0) -> bool:
        return monotonic() - self._began < share * self.seconds

    def _attempt(self, kept: tuple[str, ...]) -> tuple[Point, bool]:
        if kept not in self._points:
            self.progress(f"trying {len(kept)} layers in float", 0, None)
            self._paths[kept] = self.make(kept)
            self._points[kept] = Point(kept, self.judge.quality(self._paths[kept]))
        point = self._points[kept]
        return point, self.budget.met(point.quality)

    def _asked(self) -> list[Layer]:
        """What keeping each layer float brings, by itself."""
        noise = _noise(self.judge.quality(self._paths[()], FEW))
        found = []
        for done, name in enumerate(self.layers):
            if not self._in_time(0.5):
                break
            self.progress("asking each layer", done, len(self.layers))
            path = self.make((name,))
            left = _noise(self.judge.quality(path, FEW))
            path.unlink()
            found.append(Layer(name, (noise - left) / noise if noise else 0.0))
        return sorted(found, key=lambda layer: (-layer.gain, layer.name))

    def _timed(self, layers: list[Layer]) -> list[Layer]:
        """With the latency that each of the first adds to int8's."""
        first = [layer for layer in layers[:TIMED] if layer.gain > 0]
        if len(first) < 2:
            return layers
        paths = [self._paths[()], *(self.make((layer.name,)) for layer in first)]
        ratios = self._ratios(paths)[1:]
        for path in paths[1:]:
            path.unlink()
        timed = [
            msgspec.structs.replace(layer, ratio=ratio)
            for layer, ratio in zip(first, ratios, strict=True)
        ]
        return [*timed, *layers[len(first) :]]

    def _curve(self, chosen: Point) -> tuple[Point, ...]:
        points = sorted(self._points.values(), key=lambda p: (len(p.kept), p.kept))
        if self.replayed is not None:
            known = {point.kept: point.ratio for point in self.replayed.points}
            return tuple(msgspec.structs.replace(p, ratio=known.get(p.kept)) for p in points)
        others = [p for p in points if p.kept not in ((), chosen.kept)]
        shown = [self._points[()], chosen, *others][: 2 + ON_CURVE]
        kept = list(dict.fromkeys(point.kept for point in shown))
        ratios = self._ratios([self.judge.graph.path, *(self._paths[k] for k in kept)])[1:]
        measured = dict(zip(kept, ratios, strict=True))
        return tuple(msgspec.structs.replace(p, ratio=measured.get(p.kept)) for p in points)

    def _ratios(self, paths: list[Path]) -> list[Ratio | None]:
        from edgeopt.pipeline.benchmark import benchmark

        self.progress("measuring latency", 0, None)
        report = benchmark(paths, duration=0.3, processes=5, save=False)
        return list(report.ratios)

    def _unreachable(self) -> GateError:
        best = max(self._points.values(), key=lambda p: _rank(p.quality))
        layers = "1 layer" if len(best.kept) == 1 else f"{len(best.kept)} layers"
        return GateError(
            f"the budget can't be met: the best was {self.budget.told(best.quality)}, with "
            f"{layers} of {len(self.layers)} in float",
            hint="allow more, give --search-time more seconds, or use --precision fp16 or fp32",
        )


def _rank(quality: Quality) -> float:
    return float("inf") if quality.sqnr_db is None else quality.sqnr_db


def _noise(quality: Quality) -> float:
    """Noise power over the signal's."""
    return 0.0 if quality.sqnr_db is None else float(10 ** (-quality.sqnr_db / 10))
