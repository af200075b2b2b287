"""4-bit blocks: what the integers stand for, and how close it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeopt.calibration.blocks import nearest_blocks, real_blocks

weights = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.integers(1, 4)),
    elements=st.floats(-8, 8, width=32),
)


@given(weights, st.sampled_from([4, 16, 32]))
def test_each_block_has_its_own_scale(weight: np.ndarray, block: int) -> None:
    integers, scales = nearest_blocks(weight, block)
    rows, columns = weight.shape
    assert integers.shape == weight.shape
    assert integers.min() >= -8
    assert integers.max() <= 7
    assert scales.shape == (-(-rows // block), columns)
    for row in range(rows):
        real = integers[row].astype(np.float32) * scales[row // block]
        np.testing.assert_array_equal(real_blocks(integers, scales, block)[row], real)


@given(weights)
def test_no_block_is_worse_than_the_usual_symmetric_scale(weight: np.ndarray) -> None:
    # Round-to-nearest as peers do it: the largest absolute value at -8.
    error = np.square(real_blocks(*nearest_blocks(weight)) - weight)
    padded = np.pad(weight, ((0, -len(weight) % 32), (0, 0))).reshape(-1, 32, weight.shape[1])
    largest = np.take_along_axis(padded, np.abs(padded).argmax(1)[:, None], 1)
    step = np.where(np.abs(largest) < 1e-30, 1, largest / -8)
    usual = np.square(np.clip(np.rint(padded / step), -8, 7) * step - padded).sum((0, 1))
    assert (error.sum(0) <= usual * (1 + 1e-5) + 1e-9).all()


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_weight_gets_the_longer_side(sign: int) -> None:
    weight = sign * np.array([[8.0], [1.0], [-7.0]], np.float32)
    integers, scales = nearest_blocks(weight)
    assert integers[0, 0] == -8
    np.testing.assert_allclose(real_blocks(integers, scales), weight, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1e-45, -3e-39])
def test_next_to_nothing_is_zero(value: float) -> None:
    integers, scales = nearest_blocks(np.full((33, 2), value, np.float32))
    assert not integers.any()
    assert (scales > 0).all()
