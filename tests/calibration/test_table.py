"""Laws of the table: parts merge to the whole, and a file holds all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.ranges import RangeMethod, choose_ranges
from edgeopt.calibration.table import (
    CalibrationTable,
    ChannelStats,
    Making,
    Sampling,
    TableHeader,
    TensorStats,
)
from edgeopt.calibration.table_file import load_table, save_table
from edgeopt.core.errors import DataError


def table(values: np.ndarray, graph: str = "g", samples: int = 1) -> CalibrationTable:
    channels = ChannelStats.of(values[0])
    for row in values[1:]:
        channels = channels.merge(ChannelStats.of(row))
    making = Making(runtime="r", level="all", cpu="c", sampling=Sampling.PART, strides={})
    header = TableHeader(graph_sha256=graph, samples=samples, makings=(making,))
    stats = {
        "x": TensorStats(Histogram.of_values(values), channels),
        "y": TensorStats(Histogram.of_values(values[:, 0])),
    }
    return CalibrationTable(header, stats)


def same(one: CalibrationTable, two: CalibrationTable) -> bool:
    return one.header == two.header and all(
        one.tensors[n].histogram == two.tensors[n].histogram
        and np.array_equal(_sums(one, n), _sums(two, n))
        for n in one.tensors
    )


def _sums(found: CalibrationTable, name: str) -> np.ndarray:
    channels = found.tensors[name].channels
    return np.zeros(0) if channels is None else np.append(channels.sums, channels.count)


@pytest.fixture
def parts(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.standard_normal((7, 3)) * 10.0**k for k in (-3, 0, 3)]


def test_merging_is_associative_commutative_and_whole(parts: list[np.ndarray]) -> None:
    a, b, c = map(table, parts)
    whole = table(np.concatenate(parts), samples=3)
    assert same(a.merge(b), b.merge(a))
    assert same(a.merge(b).merge(c), a.merge(b.merge(c)))
    assert same(c.merge(a).merge(b), whole)


def test_a_file_holds_all_of_it_in_the_same_bytes(parts: list[np.ndarray], tmp_path: Path) -> None:
    first = table(parts[0]).merge(table(parts[1]))
    for name in ("a.npz", "b.npz"):
        save_table(tmp_path / name, first)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert same(load_table(tmp_path / "a.npz"), first)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_damaged_file_is_one_line(parts: list[np.ndarray], tmp_path: Path, keep: float) -> None:
    path = tmp_path / "t.npz"
    save_table(path, table(parts[0]))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(DataError, match="not a readable calibration table") as error:
        load_table(path)
    assert "\n" not in str(error.value)


def test_tables_of_two_graphs_do_not_merge(parts: list[np.ndarray]) -> None:
    with pytest.raises(DataError, match="different float graphs"):
        table(parts[0]).merge(table(parts[0], graph="h"))


@pytest.mark.parametrize(
    ("worst", "usable"), [(-1.0, True), (-3.4e38, False), (np.inf, False), (7e4, False), (3, True)]
)
def test_masks_and_overflows_never_get_a_range(worst: float, usable: bool) -> None:
    found = choose_ranges(table(np.array([[0.5], [worst]])), RangeMethod.MIN_MAX)
    assert ("x" in found) is usable


def test_means_are_those_of_the_samples(parts: list[np.ndarray]) -> None:
    channels = table(parts[1]).tensors["x"].channels
    assert channels is not None
    np.testing.assert_allclose(channels.means, parts[1].mean(0), atol=1e-7)
