"""Measuring over ssh: a real sshd on loopback, with this machine as its device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edgeopt.benchmarks.gate.budgets import read_limit
from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.core.errors import EdgeOptError, UsageError
from edgeopt.core.progress import silent
from edgeopt.pipeline.budgets.file import ProjectFile
from edgeopt.pipeline.remote import benchmark_there
from edgeopt.targets.hardware import Budget

if TYPE_CHECKING:
    from tests.board import Board


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


def test_a_profile_of_one_s_own_says_threads_and_budget(
    board: Board, conv_net: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "board.toml"
    profile.write_text(
        'name = "board"\ndescription = "mine"\nlike = ["arm64"]\naddress = "ssh://kitchen"\n'
        "threads = 2\n[budget]\nmax_size_mb = 0.0001\nmax_latency_ms = 5000\n"
    )
    there: dict[str, Any] = {"accuracy": "top1", "save": False, "progress": silent}
    there |= {"ssh_config": board.config, "duration": 0.05, "processes": 2}
    report = benchmark_there([conv_net], str(profile), **there)
    assert report.measurements[0].threads == 2
    assert [(c.part, c.limit, c.passed) for c in report.budgets] == [
        *(("latency", 5000, True), ("size", 0.0001, False)),
    ]
    asked = benchmark_there(
        [conv_net], str(profile), threads=1, budget=Budget(max_size_mb=1), **there
    )
    assert asked.measurements[0].threads == 1
    assert [(c.part, c.limit) for c in asked.budgets] == [("latency", 5000), ("size", 1)]
    project = ProjectFile(
        "edgeopt.toml", {}, {"board": {"max-size": read_limit("2MB", "bytes", "")}}
    )
    ours = benchmark_there([conv_net], str(profile), threads=1, project=project, **there)
    assert [(c.part, c.limit, c.source) for c in ours.budgets] == [
        ("latency", 5000, "the profile of board"),
        ("size", 2, "edgeopt.toml, budgets.targets.board"),
    ]
