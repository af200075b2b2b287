"""How inputs vary together, against numpy on what really goes into each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgeopt.calibration import hessians
from edgeopt.calibration.hessians import Hessian, collect_hessians
from edgeopt.calibration.patches import Window
from edgeopt.converters.simplify import simplify
from edgeopt.core.graph import FloatGraph
from edgeopt.data import Sample

Save = Callable[..., Path]
seeds = st.integers(0, 2**32 - 1)


def rows(seed: int, count: int, size: int = 5, groups: int = 2) -> np.ndarray:
    """Inputs far from zero, where sums of squares would cancel: ``(G, P, K)``."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((groups, count, size)) @ rng.standard_normal((size, size))
    return (mixed + 100 * rng.standard_normal((groups, 1, size))).astype(np.float32)


def covariance(x: np.ndarray) -> np.ndarray:
    wide = x.astype(np.float64)
    return np.stack([np.cov(group.T, bias=True).reshape(x.shape[2], -1) for group in wide])


def close(one: Hessian, two: Hessian) -> None:
    assert one.count == two.count
    np.testing.assert_allclose(one.means, two.means, rtol=1e-5, atol=1e-4)
    scale = np.abs(two.centred).max(initial=1e-6)
    np.testing.assert_allclose(one.centred, two.centred, atol=1e-4 * scale)


@given(seeds, st.integers(1, 60), st.integers(1, 6))
def test_it_is_the_covariance(seed: int, count: int, size: int) -> None:
    x = rows(seed, count, size)
    found = Hessian.of(x)
    expected = covariance(x)
    scale = np.abs(expected).max(initial=1e-3)
    np.testing.assert_allclose(found.centred, expected, atol=1e-4 * scale)
    # Terms that cancel leave float32's rounding of the largest of them.
    largest = np.abs(x).max()
    means = x.mean(1, dtype=np.float64)
    np.testing.assert_allclose(found.means, means, rtol=1e-6, atol=1e-6 * largest)
    assert found.count == count
    raw = np.einsum("gpk,gpl->gkl", x.astype(np.float64), x.astype(np.float64)) / count
    np.testing.assert_allclose(found.raw, raw, rtol=1e-4, atol=1e-5 * largest**2)


@given(seeds, st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_parts_merge_to_the_whole_in_any_order(seed: int, counts: list[int]) -> None:
    x = rows(seed, sum(counts))
    ends = np.cumsum(counts)[:-1]
    parts = [Hessian.of(part) for part in np.split(x, ends, axis=1)]
    np.random.default_rng(seed).shuffle(parts)
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    close(merged, Hessian.of(x))


def test_arrays_hold_all_of_it() -> None:
    found = Hessian.of(rows(0, 9))
    again = Hessian.from_arrays(found.to_arrays())
    np.testing.assert_array_equal(again.centred, found.centred)
    np.testing.assert_array_equal(again.means, found.means)
    assert again.count == found.count
    with pytest.raises(ValueError, match="products of shape"):
        Hessian.from_arrays({**found.to_arrays(), "means": np.zeros((2, 7))})


def samples(arrays: dict[str, np.ndarray]) -> list[Sample]:
    count = len(next(iter(arrays.values())))
    return [
        Sample({n: a[i : i + 1] for n, a in arrays.items()}, None, f"d[{i}]") for i in range(count)
    ]


def collected(graph: FloatGraph, some: Iterable[Sample], tmp_path: Path) -> dict[str, Hessian]:
    return collect_hessians(graph, some)


@pytest.fixture
def net(conv_net: Path, tmp_path: Path) -> FloatGraph:
    return simplify(conv_net, tmp_path / "float.onnx", "net")


@pytest.fixture
def images(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"image": rng.standard_normal((12, 3, 8, 8)).astype(np.float32)}


def test_every_layers_inputs_are_looked_at(
    net: FloatGraph, images: dict[str, np.ndarray], tmp_path: Path
) -> None:
    found = collected(net, samples(images), tmp_path)
    assert {name: each.means.shape for name, each in found.items()} == {
        "conv1": (1, 27),
        "depthwise": (8, 9),
        "head": (1, 8),
    }
    window = Window((3, 3), (1, 1), (1, 1), (1, 1, 1, 1))
    x = images["image"]
    close(found["conv1"], Hessian.of(window.patches(x, np.arange(12 * 64))))


def test_neither_order_nor_sharding_matters(
    net: FloatGraph, images: dict[str, np.ndarray], tmp_path: Path
) -> None:
    some = samples(images)
    whole = collected(net, some, tmp_path)
    backwards = collected(net, some[::-1], tmp_path)
    parts = [collected(net, some[i::3], tmp_path) for i in range(3)]
    for name, each in whole.items():
        close(backwards[name], each)
        close(parts[2][name].merge(parts[0][name]).merge(parts[1][name]), each)


def test_a_batch_counts_like_its_samples_one_by_one(
    net: FloatGraph, images: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hessians, "_SHARE", 7)  # so that places are chosen
    monkeypatch.setattr(hessians, "_GROUPED_SHARE", 7)
    batches = [Sample({"image": images["image"][i : i + 4]}, None, "d") for i in (0, 4, 8)]
    batches[2].inputs["image"][3] = batches[2].inputs["image"][2]
    batches[2] = replace(batches[2], filled=1)
    one = collected(net, samples({"image": images["image"][:11]}), tmp_path)
    two = collected(net, batches, tmp_path)
    for name, each in one.items():
        close(two[name], each)
    assert one["conv1"].count == 11 * 7


def test_padding_tokens_do_not_count(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["tokens"], "embed"),
            helper.make_node("MatMul", ["tokens", "w"], ["hidden"], "product"),
            helper.make_node("Cast", ["attention_mask"], ["real"], "cast", to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["real", "last"], ["wide"], "wide"),
            helper.make_node("Mul", ["hidden", "wide"], ["y"], "masked"),
        ],
        [
            ("input_ids", TensorProto.INT64, ["n", "t"]),
            ("attention_mask", TensorProto.INT64, ["n", "t"]),
        ],
        [("y", TensorProto.FLOAT, ["n", "t", 3])],
        {
            "table": rng.standard_normal((20, 6)).astype(np.float32),
            "w": rng.standard_normal((6, 3)).astype(np.float32),
            "last": np.array([-1]),
        },
    )
    graph = simplify(path, tmp_path / "float.onnx", "net")
    ids = rng.integers(1, 20, (8, 10))
    mask = (np.arange(10) < rng.integers(1, 10, (8, 1))).astype(np.int64)
    ids[mask == 0] = 0
    found = collected(graph, samples({"input_ids": ids, "attention_mask": mask}), tmp_path)
    (each,) = (h for name, h in found.items() if name == "product")
    table = next(
        numpy_helper.to_array(t)
        for t in onnx.load(graph.path).graph.initializer
        if t.dims == [20, 6]
    )
    close(each, Hessian.of(table[ids[mask != 0]][None]))
    assert each.count == mask.sum()
