"""What a search found: kept beside the artifact, so that it can be looked at and replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edgeopt.benchmarks.result import Ratio
from edgeopt.core.record import Record
from edgeopt.pipeline.search.budget import Budget, Quality

SCHEMA: Literal["edgeopt.search/1"] = "edgeopt.search/1"


class Layer(Record, frozen=True):
    """What keeping one layer float brings, and what it costs.

    Args:
        name: The node's.
        gain: How much less noise the outputs have, over int8's noise; 1 is all of it.
        ratio: Latency with only this layer float over int8's, as measured; None if it wasn't.
    """

    name: str
    gain: float
    ratio: Ratio | None = None

    @property
    def cost(self) -> float:
        """The latency it adds, over int8's; never less than what timing can tell."""
        return max(self.ratio.point - 1, RESOLUTION) if self.ratio is not None else RESOLUTION

    @property
    def worth(self) -> float:
        """What it brings for what it costs."""
        return self.gain / self.cost


RESOLUTION = 0.005
"""A latency ratio's smallest difference that is not noise."""


class Point(Record, frozen=True):
    """One point of the trade-off.

    Args:
        kept: The layers that are float.
        quality: On all samples.
        ratio: Latency over the float model's, as measured; None if it wasn't.
    """

    kept: tuple[str, ...]
    quality: Quality
    ratio: Ratio | None = None


class SearchRecord(Record, frozen=True):
    """A search.

    Args:
        graph_sha256: The float graph.
        budget: What was asked.
        layers: Every layer that was asked, the one that brings most first.
        points: Every artifact that was judged on all samples, by the number of layers kept float.
        chosen: The layers kept float in the artifact.
        seconds: How long it took.
        complete: Whether every layer was asked before the time was up.
        emulated: Whether integer sums were emulated where quality was judged.
        machine: Where latency was measured.
        schema: Of the file.
    """

    graph_sha256: str
    budget: Budget
    layers: tuple[Layer, ...]
    points: tuple[Point, ...]
    chosen: tuple[str, ...]
    seconds: float
    complete: bool
    emulated: bool
    machine: str
    schema: Literal["edgeopt.search/1"] = SCHEMA


def search_path(artifact: Path) -> Path:
    """Where the record of an artifact's search is: the same name with ``.search.json`` after it."""
    return artifact.with_name(artifact.name + ".search.json")
