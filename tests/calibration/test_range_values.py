"""Ranges beside what plain loops over the same candidates find; percentiles by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.ranges import (
    Range,
    RangeMethod,
    _divergence,
    choose_range,
    choose_ranges,
    default_method,
    usable,
)
from edgeopt.calibration.table import CalibrationTable, TensorStats
from edgeopt.core.ir import ir

Seen = Sequence[tuple[float, int]]
"""Values, exact in float16, and how often each was seen."""
Loss = Callable[[Seen, float, float], float]

LONG_TAIL = [(-2.0, 3), (-1.5, 20), (-0.5, 200), (0.0, 9000), (0.25, 400), (1.0, 90), (5.5, 2)]
ONE_SIDED = [(0.0, 50), (0.25, 300), (0.5, 200), (1.0, 60), (2.0, 20), (12.0, 1)]
ONE_SIDED_BELOW = [(-value, count) for value, count in reversed(ONE_SIDED)]
SMALL = [(value / 8, count) for value, count in LONG_TAIL]
SPREAD = [(float(v), 3 + 40 * (abs(v) < 9) + abs(v) % 5) for v in range(-40, 120)]


def histogram(seen: Seen) -> Histogram:
    return Histogram.of_values(np.repeat([v for v, _ in seen], [n for _, n in seen]))


def power(exponent: float) -> Loss:
    def loss(seen: Seen, low: float, high: float) -> float:
        scale = (high - low) / 255
        zero = round(-low / scale)
        total = 0.0
        for value, count in seen:
            step = min(max(round(value / scale) + zero, 0), 255)
            total += count * abs(value - (step - zero) * scale) ** exponent
        return total

    return loss


def divergence(seen: Seen, low: float, high: float) -> float:
    """Of what lies within and what 256 steps leave of it; what is clipped lies at P's ends."""
    step = [round((min(max(v, low), high) - low) / (high - low) * 255) for v, _ in seen]
    inside = [low <= v <= high for v, _ in seen]
    total = sum(n for _, n in seen)
    p = [float(n) if within else 0.0 for (_, n), within in zip(seen, inside, strict=True)]
    kept = [i for i, within in enumerate(inside) if within]
    if 2 * sum(p) < total:
        return math.inf
    p[kept[0]] += sum(n for v, n in seen if v < low)
    p[kept[-1]] += sum(n for v, n in seen if v > high)
    q = []
    for i in kept:
        same = [j for j in kept if step[j] == step[i]]
        q.append(sum(seen[j][1] for j in same) / len(same))
    whole = sum(q)
    return sum(
        p[i] / total * math.log(p[i] / total / (each / whole))
        for i, each in zip(kept, q, strict=True)
    )


LOSSES: dict[RangeMethod, Loss] = {
    RangeMethod.L2: power(2.0),
    RangeMethod.L24: power(2.4),
    RangeMethod.ENTROPY: divergence,
}


def shrunk(seen: Seen, loss: Loss, symmetric: bool) -> tuple[float, float]:
    """Both ends together, then the lower and then the upper one, each to the least loss."""
    low, high = min(0.0, seen[0][0]), max(0.0, seen[-1][0])
    if symmetric:
        low, high = -max(-low, high), max(-low, high)
    shares = [1 - 0.025 * i for i in range(31)]
    counted = [(value, count) for value, count in seen if value]

    def best(candidates: list[tuple[float, float]]) -> tuple[float, float]:
        return min(candidates, key=lambda ends: loss(counted, *ends))

    a, b = best([(low * s, high * s) for s in shares])
    if not symmetric and low < 0 < high:
        a, b = best([(low * s, b) for s in shares])
        a, b = best([(a, high * s) for s in shares])
    return a, b


@pytest.mark.parametrize("method", LOSSES)
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("seen", [LONG_TAIL, SMALL, ONE_SIDED, ONE_SIDED_BELOW, SPREAD])
def test_the_range_is_the_one_that_a_plain_search_finds(
    method: RangeMethod, symmetric: bool, seen: Seen
) -> None:
    found = choose_range(histogram(seen), method, symmetric=symmetric)
    assert (found.low, found.high) == pytest.approx(shrunk(seen, LOSSES[method], symmetric))


FAR = [(6.0 + step / 64, 5 + step % 7) for step in range(385)]
"""Six to twelve: in half of that range lies nothing."""


@pytest.mark.parametrize("ends", [(-2.0, 5.5), (-1.5, 1.0), (-0.5, 2.75), (-2.0, 0.5), (0.0, 0.25)])
@pytest.mark.parametrize("seen", [LONG_TAIL, SPREAD, ONE_SIDED, FAR])
def test_the_divergence_of_given_ends(seen: Seen, ends: tuple[float, float]) -> None:
    for stretch in (1.0, 10.0, 30.0):
        low, high = (stretch * end for end in ends)
        arrays = np.array([v for v, _ in seen]), np.array([float(n) for _, n in seen])
        assert _divergence(*arrays, low, high) == pytest.approx(divergence(seen, low, high))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_range_is_not_where_nothing_lies(sign: int) -> None:
    seen = sorted((sign * value, count) for value, count in FAR)
    found = choose_range(histogram(seen), RangeMethod.ENTROPY)
    assert max(abs(found.low), found.high) > 11


def test_a_range_cannot_be_changed() -> None:
    assert Range.__struct_config__.frozen


HUNDRED = [(float(v), 1) for v in range(-20, 80)]


@pytest.mark.parametrize(
    ("percent", "symmetric", "ends"),
    [
        (90.0, False, (-11.0, 69.0)),
        (100.0, False, (-20.0, 79.0)),
        (50.0, False, (0.0, 29.0)),
        (15.0, False, (0.0, 0.0)),
        (90.0, True, (-69.0, 69.0)),
        (91.5, True, (-71.0, 71.0)),
        (100.0, True, (-79.0, 79.0)),
        (21.0, True, (-10.0, 10.0)),
    ],
)
def test_a_percentile_by_hand(percent: float, symmetric: bool, ends: tuple[float, float]) -> None:
    found = choose_range(
        histogram(HUNDRED), RangeMethod.PERCENTILE, symmetric=symmetric, percentile=percent
    )
    assert (found.low, found.high) == ends


def test_the_percentile_where_none_is_said() -> None:
    seen = histogram([(1.0, 99_985), (2.0, 15)])
    assert choose_range(seen, RangeMethod.PERCENTILE).high == 2.0
    assert choose_range(histogram([(1.0, 99_995), (2.0, 5)]), RangeMethod.PERCENTILE).high == 1.0


@pytest.mark.parametrize(
    ("seen", "symmetric", "ends"),
    [
        ([(-1.0, 1), (3.0, 1)], False, (-1.0, 3.0)),
        ([(-1.0, 1), (3.0, 1)], True, (-3.0, 3.0)),
        ([(-3.0, 1), (1.0, 1)], True, (-3.0, 3.0)),
        ([(2.0, 1)], False, (0.0, 2.0)),
        ([(-2.0, 1)], False, (-2.0, 0.0)),
    ],
)
def test_extremes_by_hand(seen: Seen, symmetric: bool, ends: tuple[float, float]) -> None:
    found = choose_range(histogram(seen), RangeMethod.MIN_MAX, symmetric=symmetric)
    assert (found.low, found.high) == ends


def test_only_tensors_within_float16_that_were_seen_have_a_range() -> None:
    seen = {
        "activation": histogram([(-1.0, 1), (3.0, 1)]),
        "mask": Histogram.of_values(np.array([-3.4e38, 1.0])),
        "never run": Histogram.of_values(np.zeros(0)),
    }
    assert [name for name, each in seen.items() if usable(each)] == ["activation"]
    assert usable(histogram([(1.0, 1)]))
    table = CalibrationTable(None, {n: TensorStats(h) for n, h in seen.items()})  # type: ignore[arg-type]
    assert choose_ranges(table, RangeMethod.MIN_MAX) == {"activation": Range(low=-1, high=3)}
    assert choose_ranges(table, RangeMethod.MIN_MAX, symmetric=True) == {
        "activation": Range(low=-3, high=3)
    }


@pytest.mark.parametrize(
    ("op", "shape", "method"),
    [
        ("Conv", [4, 3, 3, 3], RangeMethod.L24),
        ("Conv", [4, 3, 3], RangeMethod.MIN_MAX),
        ("Conv", None, RangeMethod.MIN_MAX),
        ("ConvTranspose", [3, 4, 3, 3], RangeMethod.MIN_MAX),
    ],
)
def test_nets_for_images_are_clipped_a_little(
    op: str, shape: list[int] | None, method: RangeMethod
) -> None:
    rank = 4 if shape is None else len(shape)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"]), helper.make_node(op, ["r", "w"], ["y"])],
        "g",
        [
            info("x", TensorProto.FLOAT, ["n", 3, *[8] * (rank - 2)]),
            info("w", TensorProto.FLOAT, shape),
        ],
        [info("y", TensorProto.FLOAT, None)],
    )
    assert default_method(ir.serde.deserialize_graph(graph)) is method
