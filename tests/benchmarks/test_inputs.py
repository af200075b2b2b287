from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.inputs import batch_size, fill, save_inputs
from edgeopt.core.errors import UsageError
from edgeopt.core.precision import Format
from edgeopt.core.tensors import Dim, TensorSpec
from edgeopt.data import Sample


def spec(name: str, *shape: Dim) -> TensorSpec:
    return TensorSpec(name=name, dtype="float32", shape=shape)


def artifact(*specs: TensorSpec) -> Artifact:
    return Artifact(
        name="m.onnx", sha256="", size_bytes=0, format=Format.ONNX, inputs=specs, outputs=()
    )


def sample(**arrays: np.ndarray) -> Sample:
    return Sample(dict(arrays), None, "")


def test_a_dynamic_batch_is_what_is_asked_for() -> None:
    assert batch_size(artifact(spec("x", "N", 3)), 8) == 8
    assert batch_size(artifact(spec("rate"), spec("x", "N", 3)), 8) == 8


def test_a_fixed_batch_stays() -> None:
    assert batch_size(artifact(spec("x", 4, 3)), 1) == 4
    assert batch_size(artifact(spec("x", 4, 3)), 4) == 4
    assert batch_size(artifact(spec("rate")), 1) == 1
    with pytest.raises(UsageError, match="made for batches of 4"):
        batch_size(artifact(spec("x", 4, 3)), 8)


def test_samples_are_joined_and_repeated() -> None:
    samples = [sample(x=np.full((1, 2), n)) for n in range(3)]
    filled = fill(samples, [spec("x", "N", 2)], 5)
    assert filled["x"][:, 0].tolist() == [0, 1, 2, 0, 1]


def test_what_is_not_batched_is_taken_once() -> None:
    samples = [sample(x=np.ones((1, 2)), state=np.ones((2, 1, 4)), rate=np.array(16))] * 3
    filled = fill(samples, [spec("x", "N", 2), spec("state", 2, "B", 4), spec("rate")], 3)
    assert filled["x"].shape == (3, 2)
    assert filled["state"].shape == (2, 1, 4)
    assert filled["rate"].shape == ()


def test_a_fixed_batch_is_filled() -> None:
    filled = fill([sample(x=np.ones((1, 2)))] * 4, [spec("x", 4, 2)], 4)
    assert filled["x"].shape == (4, 2)


def test_names_that_numpy_cannot_take_are_stored_in_order(tmp_path: Path) -> None:
    save_inputs({"file": np.zeros(1), "a/b:0": np.ones(2)}, tmp_path / "i.npz")
    with np.load(tmp_path / "i.npz") as stored:
        assert [stored[f"arr_{n}"].shape for n in range(2)] == [(1,), (2,)]
