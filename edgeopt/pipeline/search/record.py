"""What a search found: kept beside the artifact, so that it can be looked at and replayed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Literal

from edgeopt.benchmarks.result import Ratio
from edgeopt.core.errors import EdgeOptError, OutputError, UsageError
from edgeopt.core.manifest import DataRecord
from edgeopt.core.record import Record, from_json
from edgeopt.pipeline.search.budget import Budget, Quality

SCHEMA: Literal["edgeopt.search/1"] = "edgeopt.search/1"

RESOLUTION = 0.005
"""A latency ratio's smallest difference that is not noise."""


class Arithmetic(StrEnum):
    """What a layer may have instead of 8 bits."""

    FLOAT = "float"
    WIDE = "16-bit"


class Candidate(Record, frozen=True):
    """What sparing one layer the 8 bits brings, and what it costs.

    Args:
        layer: The node's name.
        arithmetic: What it has instead.
        gain: How much less noise the outputs have, over int8's noise; 1 is all of it.
        ratio: Latency with only this layer spared over int8's, as measured; None if it wasn't.
    """

    layer: str
    arithmetic: Arithmetic
    gain: float
    ratio: Ratio | None = None

    @property
    def cost(self) -> float | None:
        """The latency it adds, over int8's: no less than timing can tell; None if unmeasured."""
        return None if self.ratio is None else max(self.ratio.point - 1, RESOLUTION)


class Mix(Record, frozen=True):
    """The layers that don't have 8 bits, by the options that say so.

    Args:
        keep_float: Those that are float.
        keep_16bit: Those whose activations have 16 bits.
    """

    keep_float: tuple[str, ...] = ()
    keep_16bit: tuple[str, ...] = ()

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> Mix:
        """Of candidates; where several are of one layer, the last one holds."""
        found = {c.layer: c.arithmetic for c in candidates}
        return cls(
            tuple(name for name, how in found.items() if how is Arithmetic.FLOAT),
            tuple(name for name, how in found.items() if how is Arithmetic.WIDE),
        )

    @property
    def count(self) -> int:
        """How many layers they are."""
        return len(self.keep_float) + len(self.keep_16bit)


class Point(Record, frozen=True):
    """One point of the trade-off.

    Args:
        mix: The layers that don't have 8 bits.
        quality: On all samples.
        ratio: Latency over the float model's, as measured; None if it wasn't.
    """

    mix: Mix
    quality: Quality
    ratio: Ratio | None = None


class SearchRecord(Record, frozen=True):
    """A search.

    Args:
        graph_sha256: The float graph.
        target: The device that it was made for.
        budget: What had to hold.
        data: The samples that it was judged on.
        layers: How many layers are integer where none is spared.
        candidates: Every layer that was asked, the one that brings most first.
        float_ratio: The float model's latency over int8's; None if it wasn't measured.
        points: Every artifact that was judged on all samples, by the number of layers spared.
        chosen: Which of them it came to; None if none met the budget.
        seconds: How long it took.
        complete: Whether every layer was asked before the time was up.
        emulated: Whether integer sums were emulated where quality was judged.
        machine: Where latency was measured; empty where nothing was.
        schema: Of the file.
    """

    graph_sha256: str
    target: str
    budget: Budget
    data: DataRecord
    layers: int
    candidates: tuple[Candidate, ...]
    float_ratio: Ratio | None
    points: tuple[Point, ...]
    chosen: Mix | None
    seconds: float
    complete: bool
    emulated: bool
    machine: str
    schema: Literal["edgeopt.search/1"] = SCHEMA

    def point(self, mix: Mix | None) -> Point | None:
        """The point of a mix."""
        return next((p for p in self.points if p.mix == mix), None)


def search_path(artifact: Path) -> Path:
    """Where the record of an artifact's search is: the same name with ``.search.json`` after it."""
    return artifact.with_name(artifact.name + ".search.json")


def page_path(artifact: Path) -> Path:
    """Where its page goes."""
    return artifact.with_name(artifact.name + ".search.html")


def read_search(path: Path) -> SearchRecord:
    """Read the record of a search.

    Raises:
        UsageError: If there is none, or it isn't one.
    """
    hint = "name the .search.json that `edgeopt convert --precision auto` wrote"
    try:
        return from_json(path.read_bytes(), SearchRecord, where=str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint=hint) from error
    except EdgeOptError as error:
        reason = error.message.removeprefix(f"{path}: ")
        raise UsageError(f"{path}: not a search: {reason}", hint=hint) from error


def check_search_replaceable(path: Path, *, force: bool) -> None:
    """Refuse to overwrite what isn't a search's record.

    Raises:
        OutputError: If something else has that name, and not ``force``.
    """
    if force or not path.exists() or _is_search(path):
        return
    raise OutputError(
        f"{path}: is there already and is not the record of a search",
        hint="choose another folder with -o, or replace it with --force",
    )


def _is_search(path: Path) -> bool:
    # The schema's name alone, without its number: a record of another version is still ours.
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    schema = content.get("schema") if isinstance(content, dict) else None
    return isinstance(schema, str) and schema.split("/")[0] == SCHEMA.split("/")[0]
