"""Rounding for the least error of the outputs: never worse than to nearest, on any layout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.calibration.blocks import nearest_blocks, real_blocks
from edgeopt.calibration.encodings import integer_limits, quantize_weight, weight_scales
from edgeopt.calibration.hessians import Hessian
from edgeopt.calibration.rounding import damped, round_blocks, round_weights
from edgeopt.targets import TensorRule

RULE = TensorRule(dtype="int8", symmetric=True, per_channel=True)
seeds = st.integers(0, 2**32 - 1)


def correlated(rng: np.random.Generator, rows: int, inputs: int) -> np.ndarray:
    """Inputs that have a few causes in common, as activations have."""
    causes = rng.standard_normal((rows, max(inputs // 4, 1)))
    mixed = causes @ rng.standard_normal((causes.shape[1], inputs))
    return (mixed + 0.3 * rng.standard_normal((rows, inputs))).astype(np.float32)


def losses(error: np.ndarray, hessian: np.ndarray, axis: int) -> np.ndarray:
    """``d^T C d`` of each output channel, for weights of any layout."""
    groups, outputs = len(hessian), error.shape[axis]
    rows = np.moveaxis(error, axis, 0).reshape(groups, outputs // groups, -1).astype(np.float64)
    return np.asarray(np.einsum("gok,gkl,gol->go", rows, hessian, rows).reshape(-1))


@given(
    seeds,
    st.sampled_from(
        [
            ((6, 5), 0, 1),
            ((5, 6), 1, 1),
            ((8, 3, 3, 3), 0, 1),
            ((8, 3, 3, 3), 0, 4),
            ((8, 1, 3, 3), 0, 8),
            ((4, 2, 5), 0, 2),
        ]
    ),
)
def test_no_output_is_worse_off_than_by_rounding_to_nearest(
    seed: int, layout: tuple[tuple[int, ...], int, int]
) -> None:
    shape, axis, groups = layout
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal(shape).astype(np.float32)
    inputs = weight.size // shape[axis]
    rows = np.stack([correlated(rng, 100, inputs) for _ in range(groups)])
    hessian = Hessian.of(rows).centred
    scales = weight_scales(weight, axis, RULE)
    nearest, _ = quantize_weight("w", weight, axis, scales, RULE)
    found = round_weights(weight, axis, scales, integer_limits(RULE), hessian)
    assert found.shape == weight.shape
    assert found.dtype == np.int8
    assert np.abs(found.astype(int)).max() <= 127
    along = [1] * weight.ndim
    along[axis] = -1
    steps = scales.reshape(along)
    after, before = (losses(q * steps - weight, damped(hessian), axis) for q in (found, nearest))
    assert (after <= before * (1 + 1e-4)).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_the_outputs_on_the_samples_come_out_closer(axis: int, rng: np.random.Generator) -> None:
    x = correlated(rng, 500, 64)
    weight = rng.standard_normal((64, 32)).astype(np.float32)
    stored = weight.T if axis == 0 else weight
    rule = TensorRule(dtype="int8", symmetric=True, per_channel=True)
    scales = weight_scales(stored, axis, rule) * 16  # a grid as coarse as 4 bits
    limits = integer_limits(rule)
    found = round_weights(stored, axis, scales, limits, Hessian.of(x[None]).centred)
    nearest, _ = quantize_weight("w", stored, axis, scales, rule)

    def noise(integers: np.ndarray) -> float:
        real = (integers.T if axis == 0 else integers) * scales
        error = x @ real - x @ weight
        return float((error - error.mean(0)).var())  # the bias takes the mean off

    assert 10 * np.log10(noise(nearest) / noise(found)) > 3


def test_inputs_that_were_never_seen_are_rounded_to_nearest(rng: np.random.Generator) -> None:
    weight = rng.standard_normal((4, 3)).astype(np.float32)
    scales = weight_scales(weight, 0, RULE)
    nearest, _ = quantize_weight("w", weight, 0, scales, RULE)
    for nothing in (np.zeros((1, 3, 3)), np.full((1, 3, 3), np.nan)):
        found = round_weights(weight, 0, scales, integer_limits(RULE), nothing)
        np.testing.assert_array_equal(found, nearest)


@given(seeds, st.integers(1, 70), st.sampled_from([4, 8]))
def test_blocks_lose_no_more_than_by_rounding_to_nearest(seed: int, inputs: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((inputs, 5)).astype(np.float32)
    hessian = Hessian.of(correlated(rng, 200, inputs)[None]).raw
    integers, scales = round_blocks(weight, 32, bits, hessian)
    nearest = nearest_blocks(weight, 32, bits)
    assert scales.shape == nearest[1].shape
    assert integers.min() >= -(1 << (bits - 1))
    assert integers.max() < 1 << (bits - 1)
    after, before = (
        losses(real_blocks(*each) - weight, damped(hessian), 1)
        for each in ((integers, scales), nearest)
    )
    assert (after <= before * (1 + 1e-3) + 1e-9).all()


def test_blocks_bring_the_outputs_closer(rng: np.random.Generator) -> None:
    x, weight = correlated(rng, 2000, 128), rng.standard_normal((128, 48)).astype(np.float32)
    found = real_blocks(*round_blocks(weight, 32, 4, Hessian.of(x[None]).raw))
    nearest = real_blocks(*nearest_blocks(weight, 32, 4))
    gain = np.square(x @ (nearest - weight)).sum() / np.square(x @ (found - weight)).sum()
    assert 10 * np.log10(gain) > 3


def test_a_few_inputs_seen_do_not_mislead(rng: np.random.Generator) -> None:
    x = (rng.standard_normal((4000, 96)) * rng.uniform(0.5, 2, 96)).astype(np.float32)
    weight = rng.standard_normal((96, 48)).astype(np.float32)
    seen = Hessian.of(x[None, :120])
    scales = np.abs(weight).max(0) / np.float32(127)

    def noise(integers: np.ndarray) -> float:
        return float(np.square((x - x.mean(0)) @ (integers * scales - weight)).sum())

    shrunk, as_seen = (
        noise(round_weights(weight, 1, scales, (-127, 127), hessian))
        for hessian in (seen.shrunk(seen.centred), seen.centred)
    )
    assert shrunk < 0.8 * as_seen


def test_blocks_of_zeros_stay_zeros() -> None:
    weight = np.zeros((64, 3), np.float32)
    weight[40, 1] = 2
    integers, scales = round_blocks(weight, 32, 4, np.eye(64)[None])
    assert np.isfinite(scales).all()
    np.testing.assert_allclose(real_blocks(integers, scales), weight, atol=1e-6)
