from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeopt.benchmarks.accuracy import evaluate
from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.metrics import read_metrics
from edgeopt.core.errors import DataError
from edgeopt.data import open_dataset


def images(count: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((count, 1, 16, 16)).astype(np.float32)


def predictions(model: Path, pictures: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    scores = [session.run(None, {"image": picture[None]})[0] for picture in pictures]
    best: np.ndarray = np.concatenate(scores).argmax(axis=1)
    return best


def test_a_model_agrees_with_its_own_predictions(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    model, pictures = make_model(), images(20)
    labels = predictions(model, pictures)
    labels[:5] = (labels[:5] + 1) % 10
    np.savez(tmp_path / "d.npz", image=pictures, labels=labels)
    artifact = read_artifact(model)
    seen: list[int] = []
    found = evaluate(
        artifact,
        open_dataset(tmp_path / "d.npz", artifact.inputs),
        read_metrics(["top1", "top5"])(),
        progress=lambda _step, done, _total: seen.append(done),
    )
    assert found.values is not None
    assert found.values["top1"] == 0.75
    assert found.values["top1"] <= found.values["top5"] <= 1
    assert found.data is not None
    assert found.data.samples == 20
    assert seen == list(range(1, 21))


def test_a_fixed_batch_counts_each_sample_once(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    model, pictures = make_model("eight.onnx", batch=8), images(19)
    labels = predictions(make_model("free.onnx"), pictures)
    labels[-1] = (labels[-1] + 1) % 10
    np.savez(tmp_path / "d.npz", image=pictures, labels=labels)
    artifact = read_artifact(model)
    data = open_dataset(tmp_path / "d.npz", artifact.inputs)
    found = evaluate(artifact, data, read_metrics("top1")())
    assert found.values is not None
    assert found.values["top1"] == pytest.approx(18 / 19)


def test_without_data_or_labels_there_is_a_reason(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    artifact = read_artifact(make_model())
    np.savez(tmp_path / "d.npz", image=images(2))
    data = open_dataset(tmp_path / "d.npz", artifact.inputs)
    assert evaluate(artifact, None, []).absent == "no evaluation data was given"
    unlabelled = evaluate(artifact, data, read_metrics("top1")())
    assert (unlabelled.values, unlabelled.absent) == (None, "the evaluation data has no labels")


def test_labels_beyond_the_classes(make_model: Callable[..., Path], tmp_path: Path) -> None:
    artifact = read_artifact(make_model(classes=3))
    np.savez(tmp_path / "d.npz", image=images(2), labels=np.array([0, 3]))
    data = open_dataset(tmp_path / "d.npz", artifact.inputs)
    with pytest.raises(DataError, match=r"d\.npz\[1\]: its label is 3"):
        evaluate(artifact, data, read_metrics("top1")())
