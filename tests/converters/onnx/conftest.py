"""Artifacts of small nets, and what ONNX Runtime gives and makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import edgeopt
from edgeopt.core.runtime import open_session
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Constants = Callable[[str], dict[str, np.ndarray]]
Operators = Callable[[str], dict[str, str]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """One artifact of a model, whatever its quality."""

    def make(model: Path, precision: str = "int8", **options: Any) -> Artifact:
        options = {"output": tmp_path / "out", "min_sqnr": -100.0, "force": True, **options}
        return edgeopt.convert(model, precision=precision, **options).artifacts[0]

    return make


@pytest.fixture
def outputs() -> Outputs:
    """What a model gives, with the runtime's integer kernels or, emulated, without them."""

    def outputs(
        model: Path | str,
        inputs: Mapping[str, np.ndarray],
        *,
        level: str = "all",
        emulated: bool = False,
        exact: bool = False,
    ) -> list[np.ndarray]:
        session = open_session(Path(model), level=level, threads=1, emulated=emulated, exact=exact)
        return [np.asarray(y) for y in session.run(None, dict(inputs))]

    return outputs


@pytest.fixture
def constants() -> Constants:
    """The initializers of a model's file."""

    def constants(path: str) -> dict[str, np.ndarray]:
        return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}

    return constants


@pytest.fixture
def operators(tmp_path: Path) -> Operators:
    """By node name, the operators that ONNX Runtime makes of a model."""

    def operators(path: str) -> dict[str, str]:
        optimized = tmp_path / "optimized.onnx"
        open_session(Path(path), level="extended", optimized=optimized)
        return {n.name: n.op_type for n in onnx.load(optimized).graph.node}

    return operators


def sqnr(reference: np.ndarray, found: np.ndarray) -> float:
    """In dB."""
    noise = np.square(reference.astype(np.float64) - found).sum()
    return float(10 * np.log10(np.square(reference.astype(np.float64)).sum() / max(noise, 1e-30)))
