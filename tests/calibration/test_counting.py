"""Counting one tensor: all that is shown counts, in whatever portions it comes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeopt.calibration.counting import TensorCounter
from edgeopt.calibration.histogram import BINS, Histogram
from edgeopt.calibration.table import ChannelStats
from edgeopt.core.errors import DataError

halves = st.lists(
    hnp.arrays(np.float16, st.integers(0, 50), elements=st.floats(width=16, allow_nan=False)),
    max_size=80,
)


@given(halves)
def test_every_value_of_every_sample_counts(samples: list[np.ndarray]) -> None:
    counter = TensorCounter("t")
    for sample in samples:
        counter.add(sample, "d")
    stats = counter.stats()
    whole = np.concatenate([np.zeros(0, np.float16), *samples])
    assert stats.histogram == Histogram.of_values(whole)
    assert stats.samples == len(samples)


def test_a_look_in_between_changes_nothing(rng: np.random.Generator) -> None:
    # Checkpoints look at a counter before it is done.
    seen, unseen = TensorCounter("t"), TensorCounter("t")
    for _ in range(40):
        values = rng.standard_normal(7).astype(np.float16)
        means = rng.standard_normal(3)
        for counter in (seen, unseen):
            counter.add(values, "d")
            counter.add_means(means)
        seen.stats()
    one, two = seen.stats(), unseen.stats()
    assert one.histogram == two.histogram
    assert one.channels is not None
    assert two.channels is not None
    np.testing.assert_array_equal(one.channels.sums, two.channels.sums)
    assert one.channels.count == two.channels.count == 40


def test_channels_are_those_of_all_samples(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((50, 4)).astype(np.float32)
    counter = TensorCounter("t")
    for row in rows:
        counter.add_channels(ChannelStats.of(row, row, row))
    found = counter.stats().channels
    assert found is not None
    np.testing.assert_allclose(found.means, rows.mean(0, dtype=np.float64), atol=1e-7)
    np.testing.assert_array_equal(found.low, rows.min(0))
    np.testing.assert_array_equal(found.high, rows.max(0))


@pytest.mark.parametrize("after", [0, 31, 100])
def test_a_nan_names_the_tensor_and_its_sample(after: int) -> None:
    counter = TensorCounter("hidden")
    values = np.ones(4, np.float16)
    bad = np.array([1, np.nan, 2, 3], np.float16)

    def count() -> None:
        for i in range(6 + after):
            counter.add(bad if i == 5 else values, f"d[{i}]")
        counter.stats()

    with pytest.raises(DataError, match=r"d\[5\]: the model's tensor 'hidden' becomes NaN"):
        count()


def test_memory_does_not_grow_with_samples_waiting() -> None:
    counters = [TensorCounter("t") for _ in range(8)]
    values = np.zeros(BINS * 5, np.float16)
    tracemalloc.start()
    for index in range(10):
        for counter in counters:
            counter.add(values, f"d[{index}]")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < values.nbytes
    assert all(counter.stats().histogram.total == 10 * values.size for counter in counters)


def test_what_a_sample_gave_may_be_reused() -> None:
    counter = TensorCounter("t")
    values = np.ones(4, np.float16)
    counter.add(values, "d[0]")
    values[:] = np.nan
    assert counter.stats().histogram == Histogram.of_values(np.ones(4, np.float32))
