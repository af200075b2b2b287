"""Laws of the table: parts merge to the whole, and a file holds all of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.calibration.hessians import Hessian
from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.ranges import RangeMethod, choose_ranges
from edgeopt.calibration.table import (
    SCHEMA,
    CalibrationTable,
    ChannelStats,
    Making,
    Sampling,
    TableHeader,
    TensorStats,
)
from edgeopt.calibration.table_file import load_table, read_header, save_table
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


def test_another_version_is_told(parts: list[np.ndarray], tmp_path: Path) -> None:
    first = table(parts[0])
    newer = msgspec.structs.replace(first.header, schema=SCHEMA + 1)
    save_table(tmp_path / "t.npz", CalibrationTable(newer, first.tensors))
    for read in (load_table, read_header):
        with pytest.raises(DataError, match=rf"version {SCHEMA + 1}, not {SCHEMA}: make it again"):
            read(tmp_path / "t.npz")


@given(data=st.data())
def test_whatever_is_wrong_with_a_file_is_one_line(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "t.npz"
    values = np.random.default_rng(7).standard_normal((5, 3))
    hessians = {"n": Hessian.of(values[None].astype(np.float32))}
    first = CalibrationTable(table(values).header, table(values).tensors, hessians)
    save_table(path, first)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    told = ""
    try:
        found = load_table(path)
    except DataError as error:
        told = str(error)
    else:
        assert same(found, first), "damage that nobody noticed"
    assert "\n" not in told


INTEGERS = ("samples", "sizes", "codes", "counts", "widths", "totals", "sums")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        *((w, n) for w in ("missing", "shorter") for n in ("names", "header", "highs", *INTEGERS)),
        *(("text", n) for n in ("highs", *INTEGERS)),
        *(("negative", n) for n in INTEGERS if n != "sums"),
    ],
)
def test_arrays_that_do_not_fit_one_another(
    parts: list[np.ndarray], tmp_path: Path, wrong: str, name: str
) -> None:
    path = tmp_path / "t.npz"
    save_table(path, table(parts[0]))
    arrays = dict(np.load(path))
    if wrong == "missing":
        del arrays[name]
    elif wrong == "text":
        arrays[name] = np.full(arrays[name].shape, "x")
    elif wrong == "negative":
        arrays[name] = -2 - arrays[name].astype(np.int64)
    else:
        arrays[name] = arrays[name][: len(arrays[name]) // 2]
    np.savez(path, **arrays)
    with pytest.raises(DataError) as error:
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
