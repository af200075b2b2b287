"""Outlier channels."""

from __future__ import annotations

import numpy as np
import pytest

from edgeopt.pipeline.diagnosis.channels import LargestByChannel, channel_axis


@pytest.mark.parametrize(
    ("rank", "op", "axis"),
    [
        (4, "Add", 1),
        (3, "Conv+Relu", 1),
        (3, "LayerNormalization", 2),
        (2, "Gemm", 1),
        (1, "x", None),
    ],
)
def test_where_channels_are(rank: int, op: str, axis: int | None) -> None:
    assert channel_axis(rank, op) == axis


def test_an_outlier_is_found_whatever_the_order_of_samples(rng: np.random.Generator) -> None:
    samples = [rng.standard_normal((1, 12, 5, 5)) for _ in range(4)]
    samples[2][:, 7] *= 100
    found = []
    for order in (samples, samples[::-1]):
        largest = LargestByChannel(1)
        for sample in order:
            largest.add(sample)
        found.append(largest.channels())
    assert found[0] == found[1]
    assert found[0] is not None
    assert [c.index for c in found[0].outliers] == [7]
    assert found[0].ratio == found[0].outliers[0].ratio > 8


def test_negative_values_count() -> None:
    largest = LargestByChannel(1)
    largest.add(np.array([[1.0, -1.0, 1.0, -90.0]]))
    found = largest.channels()
    assert found is not None
    assert found.outliers[0].index == 3


def test_few_channels_or_changing_ones_say_nothing() -> None:
    few, changing = LargestByChannel(1), LargestByChannel(1)
    few.add(np.ones((1, 3)))
    changing.add(np.ones((1, 5)))
    changing.add(np.ones((1, 6)))
    assert (few.channels(), changing.channels()) == (None, None)
