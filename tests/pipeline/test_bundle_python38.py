"""A bundle on a real Python 3.8, with the runtimes of its time, as an old board has them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import edgeopt
from edgeopt.benchmarks.bundle import RUN
from edgeopt.pipeline.bundle import bundle
from edgeopt.pipeline.results import check_outputs, import_results

if TYPE_CHECKING:
    from tests.board import Board

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python38(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python 3.8 with numpy, ONNX Runtime and tflite-runtime, and nothing else."""
    found = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    if not found:
        pytest.skip("no Python 3.8 here")
    folder = tmp_path_factory.mktemp("python38")
    subprocess.run([found[-1], "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    packages = ["numpy==1.24.4", "onnxruntime==1.19.2", "tflite-runtime==2.14.0"]
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *packages], capture_output=True, check=False
    )
    if installed.returncode != 0 and not os.environ.get("CI"):
        pytest.skip("its packages can't be had here")
    assert installed.returncode == 0, installed.stderr.decode()
    return python


def test_an_old_board_measures_and_answers_alike(
    python38: Path, conv_net: Path, tflite_net: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "device"
    bundle([conv_net, tflite_net], folder, duration=0.05, processes=2)
    ran = subprocess.run(
        [python38, folder / RUN],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    report = import_results(folder / "result.json", [conv_net, tflite_net])
    check_outputs(report)
    assert [m.runtime.version for m in report.measurements] == ["1.19.2", "tflite-runtime 2.14.0"]
    assert {(m.machine.python or "").rpartition(".")[0] for m in report.measurements} == {"3.8"}
    assert report.ratios[1] is not None


def test_an_old_board_compares(
    ssh_knows: Board, python38: Path, conv_net: Path, tmp_path: Path
) -> None:
    ssh_knows.python(f'exec {python38} "$@"')
    path, rng = tmp_path / "data.npz", np.random.default_rng(0)
    image = rng.standard_normal((12, 3, 8, 8)).astype(np.float32)
    np.savez(path, image=image, labels=np.arange(12) % 5)
    found = edgeopt.compare(
        conv_net, conv_net, target="arm64@ssh://kitchen", threads=1, evaluation=path,
        max_drop="100pp", min_sqnr=80.0, max_memory="4GB", duration=0.02, max_processes=2,
    )  # fmt: skip
    assert (found.machine.python or "").startswith("3.8.")
    assert found.candidate.runtime.version == "1.19.2"
    assert {c.name for c in found.checks} == {"latency", "accuracy", "sqnr", "memory"}
    assert ssh_knows.left() == []
