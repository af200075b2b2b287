"""Data that is as it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.validation.findings import Save


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((120, 3, 8, 8)).astype(np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(120) % 5


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(name: str = "data.npz", **arrays: np.ndarray) -> Path:
        np.savez(tmp_path / name, **arrays)  # type: ignore[arg-type]
        return tmp_path / name

    return saved
