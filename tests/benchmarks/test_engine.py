"""Engines opened like other models; a stand-in session takes the GPU's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeopt.benchmarks import engine
from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.engine import open_engine
from edgeopt.core.errors import DataError, MeasurementError, ModelError

PATH = Path("net.engine")


class StandIn:
    """Gives what it is given, under two names, the second one first."""

    def __init__(self, path: str, threads: int) -> None:
        assert (path, threads) == ("net.engine", 1)

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if inputs["x"].ndim != 2:
            raise ValueError("x can't have the shape (2,)")
        return {"second": 2 * inputs["x"], "first": inputs["x"]}


def failing(error: Exception) -> Any:
    def session(path: str, threads: int) -> StandIn:
        raise error

    return session


def test_outputs_come_in_the_model_s_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TensorRtSession", StandIn)
    opened = open_engine(PATH, ["first", "second"])
    assert opened.outputs == ("first", "second")
    first, second = opened.run({"x": np.ones((1, 2), np.float32)}, "sample 0")
    assert (first.sum(), second.sum()) == (2, 4)
    with pytest.raises(DataError, match="sample 1: the engine fails on this sample: x can't have"):
        opened.run({"x": np.ones(2, np.float32)}, "sample 1")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Failure("runtime", "there is no NVIDIA GPU here"), MeasurementError),
        (RuntimeError("it is for another GPU"), ModelError),
        (ImportError("libnvinfer.so.10"), ModelError),
    ],
)
def test_what_goes_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    monkeypatch.setattr(engine, "TensorRtSession", failing(error))
    with pytest.raises(kind, match=f"net.engine: .*{error}") as told:
        open_engine(PATH, ["y"])
    assert "\n" not in str(told.value)
