"""Columns of unlike scale."""

from __future__ import annotations

import numpy as np

from edgeopt.pipeline.diagnosis.columns import ByColumn


def columns(reference: np.ndarray, found: np.ndarray) -> ByColumn:
    sums = ByColumn()
    for one, other in zip(reference, found, strict=True):
        sums.add(one[None], other[None])
    return sums


def test_boxes_beside_scores(rng: np.random.Generator) -> None:
    boxes = rng.uniform(0, 640, (6, 4, 30)).astype(np.float32)
    scores = rng.uniform(0, 1, (6, 3, 30)).astype(np.float32)
    reference = np.concatenate([boxes, scores], 1)
    found = columns(reference, np.rint(reference / 2.5) * np.float32(2.5)).groups()
    assert found is not None
    axis, large, small = found
    assert axis == 1
    assert (large.columns, small.columns) == (((0, 4),), ((4, 7),))
    assert large.sqnr_db is not None
    assert small.sqnr_db is not None
    assert large.sqnr_db > 40 > 3 > small.sqnr_db


def test_the_columns_may_lie_along_any_axis(rng: np.random.Generator) -> None:
    reference = rng.uniform(0, 1, (4, 30, 6)).astype(np.float32)
    reference[..., [1, 4]] *= 500
    found = columns(reference, reference).groups()
    assert found is not None
    assert found[0] == 2
    assert found[1].columns == ((1, 2), (4, 5))
    assert found[1].sqnr_db is None


def test_scores_that_fall_off_smoothly_are_alike() -> None:
    # Probabilities: a few classes near 1, others down to a millionth, without a gap.
    scores = np.geomspace(1, 1e-6, 200, dtype=np.float32)[None, :].repeat(3, 0)
    assert columns(scores, scores).groups() is None


def test_an_unused_column_is_no_group() -> None:
    values = np.ones((3, 5), np.float32)
    values[:, 2] = 1e-9
    assert columns(values, values).groups() is None


def test_positions_that_change_from_sample_to_sample_are_no_columns() -> None:
    sums = ByColumn()
    for size in (3, 4):
        array = np.ones((1, size), np.float32)
        array[:, 0] = 1000
        sums.add(array, array)
    assert sums.groups() is None
