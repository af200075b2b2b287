"""Histories whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from edgeopt.benchmarks.device.statistics import t_quantile
from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.benchmarks.history.entry import Entry, EntrySide
from edgeopt.benchmarks.result import Ratio
from edgeopt.core.precision import Format

Made = Callable[..., Entry]
Drawn = Callable[..., list[Entry]]
ERROR = 0.003


def _side(name: str) -> EntrySide:
    return EntrySide(f"{name}.onnx", name, 1000, Format.ONNX, None, 1.0)


@pytest.fixture
def made() -> Made:
    """An entry: the names of both artifacts stand for their digests."""

    def make(baseline: str, candidate: str, ratio: float, **rest: object) -> Entry:
        half = t_quantile(0.95, 4) * ERROR
        found = Ratio(ratio, ratio * math.exp(-half), ratio * math.exp(half), 0.95, 5)
        sides = _side(baseline), _side(candidate)
        known = {"at": "2026-01-01T00:00:00+00:00", "label": candidate, "target": "host"} | rest
        return Entry(
            cpu="", threads=1, batch=1, ratio=found, baseline=sides[0], candidate=sides[1],
            **{"verdict": Verdict.PASS, **known},  # type: ignore[arg-type]
        )  # fmt: skip

    return make


@pytest.fixture
def drawn(made: Made) -> Drawn:
    """Comparisons of artifacts whose true levels are given, each measured with an error.

    With ``chained`` each candidate is the next one's baseline; else all have the first.
    """

    def draw(levels: Sequence[float], *, chained: bool, seed: int = 0) -> list[Entry]:
        noise = np.random.default_rng(seed).normal(0, ERROR, len(levels))
        before = [0.0, *levels] if chained else [0.0] * len(levels)
        return [
            made(str(i) if chained else "0", str(i + 1), math.exp(now - old + wrong))
            for i, (old, now, wrong) in enumerate(zip(before, levels, noise, strict=False))
        ]

    return draw
