"""The observer against numpy: what it keeps is what the float graph's tensors really reach."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.calibration.observer import observe
from edgeopt.calibration.points import observation_points
from edgeopt.calibration.ranges import RangeMethod, choose_range
from edgeopt.calibration.table import Sampling
from edgeopt.calibration.table_file import save_table
from edgeopt.converters.simplify import simplify
from edgeopt.core.errors import DataError
from edgeopt.core.graph import FloatGraph
from edgeopt.data import Dataset, open_dataset


@pytest.fixture
def graph(conv_net: Path, tmp_path: Path) -> FloatGraph:
    return simplify(conv_net, tmp_path / "float.onnx", "net")


@pytest.fixture
def dataset(graph: FloatGraph, conv_data: Path) -> Dataset:
    return open_dataset(conv_data, graph.inputs)


def test_an_exact_table_holds_what_an_unoptimized_run_gives(
    graph: FloatGraph, dataset: Dataset, tmp_path: Path
) -> None:
    table = observe(graph, dataset.samples(), sampling=Sampling.EXACT)
    model = onnx.load(graph.path)
    for name in table.tensors:
        if name != "image":
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options)
    names = [o.name for o in session.get_outputs()]
    samples = list(dataset.samples())
    runs = [dict(zip(names, session.run(None, s.inputs), strict=True)) for s in samples]
    for run, sample in zip(runs, samples, strict=True):
        run["image"] = sample.inputs["image"]
    for name, stats in table.tensors.items():
        values = np.concatenate([run[name].reshape(-1) for run in runs])
        found, counts = stats.histogram.sorted
        assert counts.sum() == values.size
        # Fused operators round differently in the last bit of float32, so now and then of float16.
        np.testing.assert_allclose(np.repeat(found, counts), np.sort(values), rtol=2e-3, atol=1e-6)
        if stats.channels is not None:
            axis = tuple(a for a in range(runs[0][name].ndim) if a != 1)
            means = np.concatenate([run[name] for run in runs]).mean(axis)
            np.testing.assert_allclose(stats.channels.means, means, atol=1e-3)


def test_a_large_tensor_is_sampled_and_its_spread_kept(
    save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["c", "v"], ["y"], "next"),
        ],
        [("x", TensorProto.FLOAT, ["n", 3, 96, 96])],
        [("y", TensorProto.FLOAT, ["n", 2, 96, 96])],
        {
            "w": rng.standard_normal((16, 3, 3, 3)).astype(np.float32),
            "v": rng.standard_normal((2, 16, 1, 1)).astype(np.float32),
        },
    )
    graph = simplify(path, tmp_path / "float.onnx", "net")
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 96, 96)).astype(np.float32))
    samples = open_dataset(tmp_path / "d.npz", graph.inputs)
    part, whole = (
        observe(graph, samples.samples(), sampling=sampling)
        for sampling in (Sampling.PART, Sampling.EXACT)
    )
    assert part.header.makings[0].strides["c"] == 6
    assert whole.complete
    one, all_of = (t.tensors["c"].histogram for t in (part, whole))
    assert one.total == 20 * 16 * 16 * 16
    assert all_of.total == 20 * 16 * 96 * 96
    ends = [choose_range(h, RangeMethod.PERCENTILE, percentile=99) for h in (one, all_of)]
    assert ends[0].high == pytest.approx(ends[1].high, rel=0.03)


def test_clamped_tensors_are_observed_after_the_clamp(graph: FloatGraph) -> None:
    points = observation_points(ir.load(graph.path).graph)
    assert "r1" in points
    assert "c1" not in points
    assert "w1" not in points


def test_shards_merge_to_the_whole_bit_for_bit(
    graph: FloatGraph, dataset: Dataset, tmp_path: Path
) -> None:
    whole = observe(graph, dataset.samples())
    parts = [observe(graph, dataset.samples(i, i + 8)) for i in range(0, 40, 8)]
    merged = parts[3]
    for i in (1, 0, 4, 2):
        merged = merged.merge(parts[i])
    for name in ("merged.npz", "whole.npz"):
        save_table(tmp_path / name, {"merged.npz": merged, "whole.npz": whole}[name])
    assert (tmp_path / "merged.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert whole.header.samples == 40


def test_no_samples_are_refused(graph: FloatGraph, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no calibration samples"):
        observe(graph, [])


def test_a_nan_inside_the_model_names_sample_and_tensor(
    save_model: Callable[..., Path], tmp_path: Path
) -> None:
    path = save_model(
        [
            helper.make_node("Log", ["x"], ["logarithm"]),
            helper.make_node("MatMul", ["logarithm", "w"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["batch", 4])],
        [("y", TensorProto.FLOAT, ["batch", 2])],
        {"w": np.ones((4, 2), np.float32)},
    )
    graph = simplify(path, tmp_path / "float.onnx", "net")
    values = np.ones((40, 4), np.float32)
    values[17] = -1
    np.savez(tmp_path / "bad.npz", x=values)
    dataset = open_dataset(tmp_path / "bad.npz", graph.inputs)
    with pytest.raises(DataError, match=r"bad\.npz\[17\].*'logarithm' becomes NaN"):
        observe(graph, dataset.samples())


def test_progress_counts_every_sample(graph: FloatGraph, dataset: Dataset, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    observe(
        graph, dataset.samples(), total=40,
        progress=lambda step, done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == [(i, 40) for i in range(1, 41)]


def test_an_infinite_mask_is_no_nan(
    save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator
) -> None:
    # A detector's attention over its backbone's pixels: what is masked is -inf there.
    path = save_model(
        [
            helper.make_node("Conv", ["image", "w"], ["c"], "backbone"),
            helper.make_node("Reshape", ["c", "heads"], ["h"], "heads"),
            helper.make_node("Transpose", ["h"], ["q"], "turn", perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["q", "h"], ["scores"], "product"),
            helper.make_node("Where", ["keep", "zero", "never"], ["mask"], "where"),
            helper.make_node("Add", ["scores", "mask"], ["masked"], "add"),
            helper.make_node("Softmax", ["masked"], ["y"], "softmax"),
        ],
        [
            ("image", TensorProto.FLOAT, [1, 3, 8, 8]),
            ("keep", TensorProto.BOOL, [1, 1, 1, 64]),
        ],
        [("y", TensorProto.FLOAT, [1, 4, 64, 64])],
        {
            "w": rng.standard_normal((16, 3, 1, 1)).astype(np.float32),
            "heads": np.array([1, 4, 4, 64]),
            "zero": np.float32(0),
            "never": np.float32(-np.inf),
        },
    )
    graph = simplify(path, tmp_path / "float.onnx", "net")
    np.savez(
        tmp_path / "d.npz",
        image=rng.standard_normal((5, 3, 8, 8)).astype(np.float32),
        keep=np.broadcast_to(np.arange(64) < 40, (5, 1, 1, 64)),
    )
    samples = open_dataset(tmp_path / "d.npz", graph.inputs).samples()
    table = observe(graph, samples)
    (making,) = table.header.makings
    assert making.strides["masked"] > 1
    found = table.tensors["masked"].histogram
    assert found.beyond / found.total == pytest.approx(24 / 64, abs=0.05)
    assert table.tensors["scores"].histogram.beyond == 0


def test_padding_tokens_count_for_nothing(
    save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["tokens", "w"], ["hidden"], "product"),
            helper.make_node("MatMul", ["hidden", "v"], ["deeper"], "next"),
            helper.make_node("Unsqueeze", ["attention_mask", "last"], ["wide"], "wide"),
            helper.make_node("Cast", ["wide"], ["weight"], "cast", to=TensorProto.FLOAT),
            helper.make_node("Mul", ["deeper", "weight"], ["kept"], "mask"),
            helper.make_node("ReduceSum", ["kept", "one"], ["pooled"], "pool", keepdims=0),
            helper.make_node("MatMul", ["pooled", "v"], ["y"], "head"),
        ],
        [
            ("tokens", TensorProto.FLOAT, ["batch", "length", 4]),
            ("attention_mask", TensorProto.INT64, ["batch", "length"]),
        ],
        [("y", TensorProto.FLOAT, ["batch", 4])],
        {
            **{n: rng.standard_normal((4, 4)).astype(np.float32) for n in "wv"},
            "last": np.array([-1]),
            "one": np.array([1]),
        },
    )
    graph = simplify(path, tmp_path / "float.onnx", "net")
    tokens = rng.standard_normal((9, 10, 4)).astype(np.float32)
    mask = (np.arange(10) < rng.integers(1, 10, (9, 1))).astype(np.int64)
    tokens[mask == 0] = 1000  # what a padding token looks like says nothing about texts
    np.savez(tmp_path / "d.npz", tokens=tokens, attention_mask=mask)
    dataset = open_dataset(tmp_path / "d.npz", graph.inputs)
    table = observe(graph, dataset.samples(), sampling=Sampling.EXACT)
    assert table.header.makings[0].padding == "attention_mask"
    for name in ("tokens", "hidden"):
        stats = table.tensors[name]
        assert stats.histogram.total == 4 * mask.sum()
        assert stats.channels is not None
        assert stats.channels.high is not None
        assert stats.channels.high.max() < 100
    rows = [t[m != 0].mean(0) for t, m in zip(tokens, mask, strict=True)]
    channels = table.tensors["tokens"].channels
    assert channels is not None
    np.testing.assert_allclose(channels.means, np.mean(rows, axis=0), atol=1e-3)
    assert table.tensors["pooled"].histogram.total == 9 * 4
