"""The whole of it: real models, real processes. Nothing here depends on how fast they are."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.benchmarks.result import BenchmarkReport, Kind, Measurement
from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.core.errors import (
    DataError,
    MeasurementError,
    ModelError,
    OutputError,
    UnsupportedError,
    UsageError,
)
from edgeopt.core.record import from_json, to_json
from edgeopt.pipeline.benchmark import benchmark

QUICK: dict[str, Any] = {"duration": 0.05, "processes": 2}


def dense(path: Path, layers: int = 1, width: int = 16, batch: int | str = "N") -> Path:
    """A net of equal dense layers, so that n times the layers are n times the work."""
    rng = np.random.default_rng(0)
    names = ["x", *(f"h{n}" for n in range(layers - 1)), "y"]
    weights = [
        numpy_helper.from_array(rng.standard_normal((width, width)).astype(np.float32), f"w{n}")
        for n in range(layers)
    ]
    nodes = [helper.make_node("MatMul", [names[n], f"w{n}"], [names[n + 1]]) for n in range(layers)]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [batch, width]) for n in "xy"]
    graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "test.npz"
    rng = np.random.default_rng(0)
    np.savez(
        path, x=rng.standard_normal((30, 16)).astype(np.float32), labels=rng.integers(0, 16, 30)
    )
    return path


def test_one_artifact(tmp_path: Path, data: Path) -> None:
    model = dense(tmp_path / "m.onnx")
    report = benchmark([model], evaluation=data, processes=1, duration=0.05)
    (m,) = report.measurements
    assert (m.kind, m.target, m.artifact) == (Kind.MEASURED, "host", str(model))
    assert m.size_bytes == model.stat().st_size
    assert m.inputs.location == str(data)
    assert m.accuracy.values is not None
    assert set(m.accuracy.values) == {"top1", "top5"}
    assert all(0 <= value <= 1 for value in m.accuracy.values.values())
    assert m.load_ms is not None
    assert m.load_ms > 0
    assert m.first_inference_ms is not None
    assert m.first_inference_ms > 0
    assert m.latency.q10 is not None
    assert m.latency.p50 is not None
    assert m.latency.min <= m.latency.q10 <= m.latency.p50 <= m.latency.max
    assert m.throughput == pytest.approx(1000 / m.latency.mean)
    assert report.ratios == (None,)


def test_each_measurement_is_a_file_that_can_be_read_again(tmp_path: Path) -> None:
    models = [dense(tmp_path / "a.onnx"), dense(tmp_path / "b.onnx", layers=2)]
    report = benchmark(models, **QUICK)
    for model, measured in zip(models, report.measurements, strict=True):
        path = tmp_path / f"{model.name}.host.benchmark.json"
        assert read_measurement(path) == measured
    assert from_json(to_json(report), BenchmarkReport, where="") == report
    assert benchmark(models, **QUICK).measurements[0].artifact == str(models[0])


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    benchmark([dense(tmp_path / "a.onnx")], save=False, **QUICK)
    assert [p.name for p in tmp_path.iterdir()] == ["a.onnx"]


@pytest.mark.timing
def test_more_work_is_slower(tmp_path: Path) -> None:
    light = dense(tmp_path / "light.onnx", layers=4, width=256)
    heavy = dense(tmp_path / "heavy.onnx", layers=12, width=256)
    report = benchmark([light, heavy], duration=0.2, processes=4, batch=8, save=False)
    ratio = report.ratios[1]
    assert ratio is not None
    assert ratio.low > 1
    assert ratio.processes == 4
    assert report.measurements[0].batch == 8


def test_an_artifact_beside_itself(tmp_path: Path) -> None:
    model = dense(tmp_path / "a.onnx", layers=4, width=128)
    report = benchmark([model, model], save=False, **QUICK)
    ratio = report.ratios[1]
    assert ratio is not None
    assert ratio.low <= ratio.point <= ratio.high


def test_the_baseline_is_the_first_fp32() -> None:
    from edgeopt.benchmarks.device.summary import baseline_of

    assert baseline_of(["int8", None, "fp32", "fp32"]) == 2
    assert baseline_of(["int8", None]) == 0


def test_artifacts_with_different_inputs_are_still_compared(tmp_path: Path) -> None:
    narrow = dense(tmp_path / "narrow.onnx", width=8)
    wide = dense(tmp_path / "wide.onnx", width=64)
    assert benchmark([narrow, wide], save=False, **QUICK).ratios[1] is not None


def test_labels_missing_is_no_failure(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.zeros((3, 16), np.float32))
    report = benchmark(
        [dense(tmp_path / "a.onnx")], evaluation=tmp_path / "d.npz", save=False, **QUICK
    )
    assert report.measurements[0].accuracy.values is None
    assert report.measurements[0].accuracy.absent == "the evaluation data has no labels"


def test_a_function_of_the_user_s(tmp_path: Path, data: Path) -> None:
    report = benchmark(
        [dense(tmp_path / "a.onnx")],
        evaluation=data,
        accuracy=lambda _outputs, labels: {"rows": len(labels)},
        save=False,
        **QUICK,
    )
    assert report.measurements[0].accuracy.values == {"rows": 30.0}


def test_a_size_that_was_guessed_is_noted(tmp_path: Path) -> None:
    shape = ["N", "time", 4]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    path = tmp_path / "free.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    report = benchmark([path], save=False, **QUICK)
    assert any("size 1 for x[time]" in note for note in report.notes)


def test_progress_ends_where_it_should(tmp_path: Path, data: Path) -> None:
    seen: dict[str, tuple[int, int | None]] = {}

    def progress(step: str, done: int, total: int | None) -> None:
        seen[step] = (done, total)

    benchmark([dense(tmp_path / "a.onnx")], evaluation=data, save=False, progress=progress, **QUICK)
    assert seen == {"loading": (1, 1), "evaluating a.onnx": (30, 30), "timing": (2, 2)}


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"artifacts": []}, UsageError, "no artifact"),
        ({"artifacts": ["a.onnx", "a.onnx"], "processes": 1}, UsageError, "no interval"),
        ({"threads": 0}, UsageError, "threads is 0"),
        ({"threads": 4096}, MeasurementError, "4096 threads on"),
        ({"artifacts": ["."]}, UnsupportedError, r"is a folder: name the artifacts in it"),
        ({"artifacts": ["bfloat16.onnx"]}, UnsupportedError, "type of numbers that NumPy"),
        ({"accuracy": "best"}, UsageError, "no measure of accuracy"),
        ({"artifacts": ["none.onnx"]}, ModelError, "no such file"),
        ({"artifacts": ["corrupt.onnx"]}, ModelError, "not a valid ONNX file"),
        ({"artifacts": ["m.engine"]}, UnsupportedError, "known from its manifest"),
        ({"artifacts": ["fixed.onnx"], "batch": 4}, UsageError, "made for batches of 2"),
        ({"evaluation": "none.npz"}, DataError, "no such file"),
        ({"evaluation": "wrong.npz"}, DataError, "x"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    kind: type[Exception],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    dense(Path("a.onnx"))
    dense(Path("fixed.onnx"), batch=2)
    model = onnx.load(dense(Path("bfloat16.onnx")))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.BFLOAT16
    onnx.save(model, "bfloat16.onnx")
    Path("corrupt.onnx").write_bytes(Path("a.onnx").read_bytes()[:100])
    Path("m.engine").write_bytes(b"")
    np.savez("wrong.npz", x=np.zeros((3, 17), np.float32))
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(kind, match=words) as caught:
        benchmark(**{"artifacts": ["a.onnx"], **QUICK, **options})
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_only_a_measurement_is_overwritten(tmp_path: Path) -> None:
    model = dense(tmp_path / "a.onnx")
    path = measurement_path(model, "host")
    for precious in ("my notes", "[1, 2]", '{"schema": "theirs/1"}'):
        path.write_text(precious)
        with pytest.raises(OutputError, match="not a benchmark result"):
            benchmark([model], **QUICK)
        assert path.read_text() == precious
    path.write_text('{"schema": "edgeopt.benchmark/0", "from": "an earlier version"}')
    benchmark([model], **QUICK)
    assert isinstance(read_measurement(path), Measurement)


def test_a_folder_that_cannot_be_written_is_found_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # root may write anywhere
    called: list[Callable[..., Any]] = []
    with pytest.raises(OutputError, match="--no-save"):
        benchmark([dense(tmp_path / "a.onnx")], progress=lambda *_: called.append(print))
    assert not called
