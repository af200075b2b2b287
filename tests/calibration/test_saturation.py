"""Sums in 16 bits: emulated as the instruction does them, and proven away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeopt.calibration.saturation import (
    PAIR_LIMIT,
    bounded_pairs,
    pair_floor,
    saturated_sums,
    worst_pairs,
)

shapes = st.tuples(st.integers(1, 9), st.integers(1, 4))
eights = st.integers(-127, 127)


def instruction(activations: list[int], weights: list[int]) -> int:
    """``vpmaddubsw`` on neighbours, the 16-bit results added in 32 (Intel's pseudocode)."""
    total = 0
    for i in range(0, len(weights), 2):
        pair = sum(a * w for a, w in zip(activations[i : i + 2], weights[i : i + 2], strict=True))
        total += min(max(pair, -32768), 32767)
    return total


@given(hnp.arrays(np.int8, shapes, elements=eights), st.data())
def test_sums_saturate_as_the_instruction_does(rows: np.ndarray, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 3))
    activations = data.draw(hnp.arrays(np.uint8, (count, len(rows))))
    expected = [[instruction(a.tolist(), w.tolist()) for w in rows.T] for a in activations]
    np.testing.assert_array_equal(saturated_sums(activations, rows), expected)


@given(st.data(), shapes)
def test_bounded_weights_never_saturate(data: st.DataObject, shape: tuple[int, int]) -> None:
    real = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(-2, 2, width=32)))
    scales = data.draw(hnp.arrays(np.float32, shape[1], elements=st.floats(0.015625, 1, width=32)))
    rounded = np.clip(np.rint(real / scales), -127, 127).astype(np.int8)
    bounded = bounded_pairs(rounded, real, scales)
    assert worst_pairs(bounded).max() <= PAIR_LIMIT
    # Whatever the activations, and so the most extreme ones, are.
    drawn = data.draw(hnp.arrays(np.uint8, (3, shape[0])))
    extremes = [np.where(column > 0, 255, 0) for column in bounded.T]
    extremes += [np.where(column < 0, 255, 0) for column in bounded.T]
    activations = np.concatenate([drawn, np.array(extremes, np.uint8)])
    exact = activations.astype(np.int64) @ bounded.astype(np.int64)
    np.testing.assert_array_equal(saturated_sums(activations, bounded), exact)


@given(st.data(), shapes)
def test_only_pairs_that_need_it_change(data: st.DataObject, shape: tuple[int, int]) -> None:
    rounded = data.draw(hnp.arrays(np.int8, shape, elements=eights))
    bounded = bounded_pairs(rounded, rounded.astype(np.float32), np.ones(1, np.float32))
    assert (np.abs(bounded.astype(int)) <= np.abs(rounded.astype(int))).all()
    assert (bounded.astype(int) * rounded >= 0).all()
    for i in range(0, shape[0], 2):
        safe = worst_pairs(rounded[i : i + 2]) <= PAIR_LIMIT
        np.testing.assert_array_equal(bounded[i : i + 2, safe], rounded[i : i + 2, safe])


@given(hnp.arrays(np.float32, shapes, elements=st.floats(-8, 8, width=32)))
def test_at_the_least_scale_only_rounding_gives_way(real: np.ndarray) -> None:
    scales = np.maximum(pair_floor(real), np.abs(real).max(0) / 127)
    scales = np.maximum(scales, 1e-6).astype(np.float32)
    rounded = np.clip(np.rint(real / scales), -127, 127).astype(np.int8)
    bounded = bounded_pairs(rounded, real, scales)
    assert np.abs(bounded.astype(int) - rounded).max(initial=0) <= 1
    assert (np.abs(bounded - real / scales) <= 1.01).all()


def test_the_one_that_was_rounded_up_gives_way() -> None:
    real = np.array([[64.4], [64.6]], np.float32)
    bounded = bounded_pairs(np.array([[64], [65]], np.int8), real, np.ones(1, np.float32))
    assert bounded.tolist() == [[64], [64]]


@pytest.mark.parametrize(
    ("rows", "worst"),
    [([[100], [28]], 128), ([[100], [-127]], 127), ([[-100], [-29]], 129), ([[127]], 127)],
)
def test_a_pair_of_one_sign_adds_up(rows: list[list[int]], worst: int) -> None:
    assert worst_pairs(np.array(rows, np.int8)).tolist() == [worst]
