"""Real file systems that are full or read-only."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import OutputError

Save = Callable[..., Path]


@pytest.fixture
def small_disk(mounted: Callable[[str], Path]) -> Path:
    """A file system of 256 kB."""
    return mounted("256k")


@pytest.fixture
def large(save_model: Save) -> Path:
    """A model of 400 kB."""
    return save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, ["n", 100])],
        [("y", TensorProto.FLOAT, ["n", 1000])],
        {"w": np.ones((100, 1000), np.float32)},
        name="large.onnx",
    )


def test_a_full_output_folder_is_one_line_and_left_empty(large: Path, small_disk: Path) -> None:
    with pytest.raises(OutputError, match=r"No space left on device.*-o"):
        edgeopt.convert(large, output=small_disk / "out")
    assert list(small_disk.iterdir()) == []


def test_a_full_temporary_folder_is_not_blamed_on_the_model(
    large: Path, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    with pytest.raises(OutputError, match=r"No space left on device.*TMPDIR"):
        edgeopt.convert(large, output=tmp_path / "out")
    assert list(small_disk.iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_a_read_only_output_folder_is_one_line(conv_net: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for output in (small_disk, small_disk / "out"):
        with pytest.raises(OutputError, match="Read-only file system"):
            edgeopt.convert(conv_net, output=output)
