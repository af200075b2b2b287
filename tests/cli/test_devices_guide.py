"""The guide's page on devices, line by line, with an emulated board behind ssh as its device."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.board import Board
    from tests.conftest import Emulators

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^## (?P<title>.*?)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```console\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)

QUICK = " --duration 0.05 --processes {} --threads 1"
"""Added to what measures: an emulated second is long. Several artifacts need two processes."""

CANNOT = {
    "ssh-copy-id": "there is no password to type in",
    "pip install": "the emulated board has its packages already",
    "kit/run.py": "TensorRT needs a GPU",
    ".engine": "TensorRT needs a GPU",
}
"""What can't be done with the emulated board, by a part of the line, and why."""


def lines(title: str) -> list[str]:
    """The commands of a section's first block."""
    page = (ROOT / "docs" / "guide" / "devices.md").read_text(encoding="utf-8")
    text = next(m["text"] for m in SECTION.finditer(page) if m["title"] == title)
    block = BLOCK.search(text)
    assert block is not None
    joined = block["code"].replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


@pytest.fixture
def laptop(ssh_knows: Board, emulators: Emulators, example: Path, tmp_path: Path) -> Path:
    """A folder with the example's model and data; ``edgeopt`` and ``ssh`` are on the PATH."""
    ssh_knows.python(f'exec {emulators["cortex-a76"].python} "$@"')
    for name in ("model.pt2", "calibration.npz", "test.npz"):
        shutil.copy(example / name, tmp_path)
    edgeopt = ssh_knows.folder / "here" / "edgeopt"
    edgeopt.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m edgeopt "$@"\n')
    edgeopt.chmod(0o755)
    return tmp_path


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    measures = re.match(r"edgeopt (benchmark|bundle) (?!.*--import)", line)
    quick = QUICK.format(2 if "*" in line else 1) if measures else ""
    return subprocess.run(
        ["bash", "-c", line + quick],
        cwd=folder, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip


def run_all(title: str, folder: Path) -> list[str]:
    """Run every line that can be run; what each said."""
    said = []
    for line in lines(title):
        if any(part in line for part in CANNOT):
            continue
        ran = run(line, folder)
        assert ran.returncode == 0, f"{line}\n{ran.stderr}"
        said.append(ran.stdout)
    return said


@pytest.mark.parametrize("title", ["A Raspberry Pi, from a laptop", "A Jetson, from a laptop"])
def test_the_whole_path_is_short(title: str) -> None:
    assert 3 < len(lines(title)) < 10


def test_a_raspberry_pi_a_bundle_and_a_board_that_is_not_there(laptop: Path) -> None:
    out = laptop / "out"
    *_, measured = run_all("A Raspberry Pi, from a laptop", laptop)
    assert "no real device's" in measured
    assert {path.name for path in out.glob("*.benchmark.json")} == {
        "model.int8.tflite.cortex-a76-emulated.benchmark.json",
        "model.int8.cortex-a76-emulated.onnx.cortex-a76-emulated.benchmark.json",
    }
    # The other sections are about the artifact that this one has made.
    *_, imported = run_all("Where no wire goes", laptop)
    assert "no real device's" in imported
    assert (out / "model.int8.tflite.arm64.benchmark.json").exists()
    *_, emulated = run_all("A board that isn't there", laptop)
    assert "no real device's" in emulated
    assert (out / "model.int8.tflite.cortex-a72-emulated.benchmark.json").exists()


def test_a_jetson(laptop: Path, ssh_knows: Board) -> None:
    run_all("A Jetson, from a laptop", laptop)
    kit = "model.int8.jetson-orin-nano.kit"
    assert (ssh_knows.home / kit / "run.py").is_file()
    # What the emulated board lacks is the GPU alone: the program itself runs there, and says so.
    (build,) = (line for line in lines("A Jetson, from a laptop") if "kit/run.py" in line)
    ran = run(build, laptop)
    assert ran.returncode == 3
    assert ran.stderr.startswith("Error: TensorRT is not here")
