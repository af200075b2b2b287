"""Measuring over ssh: a real sshd on loopback, with this machine as its device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.core.errors import EdgeOptError, UsageError
from edgeopt.core.progress import silent
from edgeopt.pipeline.remote import benchmark_there

if TYPE_CHECKING:
    from tests.conftest import Board


def test_a_measurement_over_ssh_leaves_nothing_there(board: Board, conv_net: Path) -> None:
    report = board.measure(conv_net)
    assert read_measurement(measurement_path(conv_net, "arm64")) == report.measurements[0]
    assert report.measurements[0].verification is not None
    assert board.left() == []


def test_a_target_without_an_address(conv_net: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"accuracy": "top1", "save": False, "progress": silent}
    with pytest.raises(UsageError, match=r"arm64@ssh://user@host"):
        benchmark_there([conv_net], "arm64", **options)
    board = tmp_path / "board.toml"
    board.write_text('name = "b"\ndescription = "d"\nlike = ["arm64"]\naddress = "kitchen"\n')
    with pytest.raises(EdgeOptError, match="not the address"):
        benchmark_there([conv_net], str(board), **options)


@pytest.mark.skipif(sys.platform != "linux", reason="the script needs flock and /proc")
def test_a_native_program_measures_over_ssh_too(board: Board, tflite_net: Path) -> None:
    # A stand-in, which really runs the file: see the program's first lines.
    standin = Path(__file__).with_name("standins") / "benchmark_model"
    program = board.folder / "benchmark_model"
    program.write_text(standin.read_text().replace("@PYTHON@", sys.executable))
    program.chmod(0o755)
    (found,) = board.measure(tflite_net, binary=program).measurements
    assert found.runtime.name == "benchmark_model"
    assert board.left() == []
