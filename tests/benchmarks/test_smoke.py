"""Several calls in a fresh process, each made twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.smoke import smoke
from edgeopt.core.errors import ModelError
from edgeopt.core.execution import open_artifact
from edgeopt.core.precision import Format

SHAPE = (1, 1, 16, 16)


def calls(*shapes: tuple[int, ...]) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(3)
    return [{"image": rng.standard_normal(shape, dtype=np.float32)} for shape in shapes]


def test_every_call_is_made_twice(make_model: Callable[..., Path], tmp_path: Path) -> None:
    path, inputs = make_model(), calls(SHAPE, SHAPE, SHAPE)
    answer = smoke(read_artifact(path), inputs, tmp_path)
    assert answer.runtime.name == "onnxruntime"
    assert len(answer.calls) == 3
    opened = open_artifact(path, Format.ONNX)
    for call, given in zip(answer.calls, inputs, strict=True):
        (output,) = call.outputs
        (expected,) = opened.run(given, "a test")
        assert output.shape == expected.shape
        assert output.values == expected.size
        assert output.not_finite == 0
        assert (output.digest,) == call.again
        assert output.digest == hashlib.sha256(expected.tobytes()).hexdigest()
    assert len({call.outputs[0].digest for call in answer.calls}) == 3


def test_what_is_not_finite_is_counted(make_model: Callable[..., Path], tmp_path: Path) -> None:
    (given,) = calls(SHAPE)
    given["image"][:] = np.inf
    answer = smoke(read_artifact(make_model()), [given], tmp_path)
    assert answer.calls[0].outputs[0].not_finite == answer.calls[0].outputs[0].values


def test_a_call_that_fails_names_the_file(make_model: Callable[..., Path], tmp_path: Path) -> None:
    path = make_model()
    with pytest.raises(ModelError, match="can't run it") as error:
        smoke(read_artifact(path), calls(SHAPE, (1, 1, 16, 15)), tmp_path)
    assert error.value.message.startswith(f"{path}: ")
    assert error.value.message.count(str(path)) == 1
