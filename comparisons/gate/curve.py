"""The operating curve: how often each verdict is given, by how far a candidate is from the budget.

Every arm stands for many distances, as the budget is moved instead of the model: a slowdown of 5 %
beside a budget of 3 % is 2 % beyond it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ours import duels, verdicts
from tables import CANDIDATES, Pool, truth

from edgeopt.reports.axes import Axis

FARTHEST, STEP = 6.0, 0.5
"""Of the distances, in per cent; and from one budget to the next."""

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 760, 300, 52, 34, 44, 40
COLOURS = {"pass": "#2e9e5b", "regression": "#d64545", "inconclusive": "#8a8f98"}


@dataclass(frozen=True)
class Point:
    """How often each verdict was given at one distance.

    Args:
        beyond: How much slower than the budget allows the candidate is, as a share.
        shares: By verdict.
        count: Verdicts in all.
    """

    beyond: float
    shares: dict[str, float]
    count: int


def points(pool: Pool) -> list[Point]:
    """The curve of one condition, by distance; arms that are as far away are put together."""
    places: dict[int, list[Point]] = defaultdict(list)
    for point in _points(pool):
        places[round(100 * point.beyond / STEP)].append(point)
    return [_together(place * STEP / 100, found) for place, found in sorted(places.items())]


def _together(beyond: float, found: Sequence[Point]) -> Point:
    count = sum(point.count for point in found)
    shares = {
        verdict: sum(point.shares[verdict] * point.count for point in found) / count
        for verdict in COLOURS
    }
    return Point(beyond, shares, count)


def _points(pool: Pool) -> Iterator[Point]:
    for arm in CANDIDATES:
        ratio = truth(pool, arm)[0]
        budget = STEP / 100
        while budget < 0.2:
            beyond = ratio / (1 + budget) - 1
            if abs(beyond) * 100 <= FARTHEST:
                found = duels(pool.held_out, arm, budget=budget)
                given = verdicts(found)
                yield Point(beyond, {v: given[v] / len(found) for v in COLOURS}, len(found))
            budget += STEP / 100


def drawn(pools: Sequence[Pool]) -> str:
    """An SVG of the curves, a panel a condition."""
    panel = (WIDTH - LEFT - GAP * (len(pools) - 1) - 12) / len(pools)
    body = "\n".join(
        "\n".join(_panel(pool, LEFT + index * (panel + GAP), panel))
        for index, pool in enumerate(pools)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#80858e">\n'
        f"{_legend()}\n{body}\n</svg>\n"
    )


def _legend() -> str:
    return "".join(
        f'<text x="{LEFT + 110 * index}" y="14" fill="{colour}">● {verdict}</text>'
        for index, (verdict, colour) in enumerate(COLOURS.items())
    )


def _panel(pool: Pool, left: float, width: float) -> Iterator[str]:
    across = Axis(-FARTHEST, FARTHEST, left, left + width)
    up = Axis(0.0, 100.0, HEIGHT - BOTTOM, TOP)
    for tick in up.ticks():
        yield _line(left, up.at(tick), left + width, up.at(tick), "0.25")
        yield f'<text x="{left - 6}" y="{up.at(tick) + 4}" text-anchor="end">{tick:g}</text>'
    for tick in across.ticks(7):
        yield (
            f'<text x="{across.at(tick)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{tick:+g}</text>"
        )
    yield _line(across.at(0), TOP, across.at(0), HEIGHT - BOTTOM, "0.8")
    yield (
        f'<text x="{left + width / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{pool.condition}: slower than the budget allows, %</text>"
    )
    for verdict, colour in COLOURS.items():
        places = [
            f"{across.at(100 * point.beyond)},{up.at(100 * point.shares[verdict])}"
            for point in points(pool)
        ]
        yield (
            f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" '
            'stroke-width="1.5"/>'
        )


def _line(x1: float, y1: float, x2: float, y2: float, width: str) -> str:
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#80858e" stroke-width="{width}"/>'
    )
