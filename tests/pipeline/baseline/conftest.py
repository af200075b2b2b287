"""Artifacts, and an empty store of each kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import onnx
import pytest

from tests.pipeline.baseline.stores import Save, make


@pytest.fixture
def net(save_model: Save) -> Path:
    return make(save_model, "net.onnx")


@pytest.fixture
def other(save_model: Save) -> Path:
    return make(save_model, "other.onnx", 2.0)


@pytest.fixture
def apart(net: Path, tmp_path: Path) -> Path:
    """An artifact that keeps its weights in a folder beside it."""
    path = tmp_path / "apart" / "net.onnx"
    (path.parent / "weights").mkdir(parents=True)
    onnx.save(
        onnx.load(net),
        path,
        save_as_external_data=True,
        location="weights/net.bin",
        size_threshold=0,
    )
    return path


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    if request.param == "folder":
        yield str(tmp_path / "store")
        return
    url = f"memory://{uuid.uuid4().hex}/baselines"
    yield url
    memory = fsspec.filesystem("memory")
    if memory.exists(url):
        memory.rm(url, recursive=True)


@pytest.fixture
def small_disk(mounted: Callable[[str], Path]) -> Path:
    """A file system of 20 kB."""
    return mounted("20k")
