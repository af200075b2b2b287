"""The program as it is started: as a module, as a folder, as a zipapp."""

from __future__ import annotations

import json
import subprocess
import sys
import zipapp
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeopt.benchmarks import device

FOLDER = Path(device.__file__).parent


def request(folder: Path, model: Path, task: str = "solo", **changed: Any) -> Path:
    np.savez(folder / "inputs.npz", np.zeros((1, 1, 16, 16), np.float32))
    subject = {"path": str(model), "inputs": str(folder / "inputs.npz"), "names": ["image"],
               "runtime": "onnxruntime"}  # fmt: skip
    content = {
        "task": task,
        "threads": 1,
        "seed": "0/0",
        "warmup_seconds": 0.02,
        "duration_seconds": 0.02,
        "subjects": [subject],
        **changed,
    }
    path = folder / "request.json"
    path.write_text(json.dumps(content))
    return path


def start(how: list[str], asked: Path, **options: Any) -> tuple[int, dict[str, Any]]:
    answered = asked.with_name("result.json")
    done = subprocess.run([sys.executable, *how, asked, answered], check=False, **options)
    return done.returncode, json.loads(answered.read_text())


@pytest.mark.parametrize("how", ["module", "folder", "zipapp"])
def test_it_starts_in_every_way(how: str, tmp_path: Path, make_model: Callable[..., Path]) -> None:
    if how == "zipapp":
        zipapp.create_archive(FOLDER, tmp_path / "device.pyz")
    ways = {
        "module": ["-m", "edgeopt.benchmarks.device"],
        "folder": [str(FOLDER)],
        "zipapp": [str(tmp_path / "device.pyz")],
    }
    code, result = start(ways[how], request(tmp_path, make_model()))
    assert code == 0
    assert result["load_ns"] > 0
    assert result["runtime"]["name"] == "onnxruntime"


def test_it_is_not_misled_by_the_folder_it_starts_in(
    tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    (tmp_path / "memory.py").write_text("raise SystemExit('the wrong memory')")
    code, _ = start([str(FOLDER)], request(tmp_path, make_model()), cwd=tmp_path)
    assert code == 0


@pytest.mark.parametrize(
    ("changed", "stage", "words"),
    [
        ({"task": "dance"}, "request", "'dance' is not one of"),
        ({"subjects": []}, "request", "no artifact"),
        ({"colour": "red"}, "request", "colour"),
    ],
)
def test_a_request_it_cannot_serve(
    tmp_path: Path,
    make_model: Callable[..., Path],
    changed: dict[str, Any],
    stage: str,
    words: str,
) -> None:
    code, result = start([str(FOLDER)], request(tmp_path, make_model(), **changed))
    assert code == 1
    assert result["failure"]["stage"] == stage
    assert words in result["failure"]["reason"]


def test_a_runtime_that_it_does_not_know(tmp_path: Path) -> None:
    subject = {"path": "m", "inputs": "m.npz", "names": [], "runtime": "abacus"}
    asked = request(tmp_path, tmp_path, subjects=[subject])
    code, result = start([str(FOLDER)], asked)
    assert code == 1
    assert result["failure"]["stage"] == "runtime"
    assert "'abacus' is not one of ['litert', 'onnxruntime'" in result["failure"]["reason"]


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    code, result = start([str(FOLDER)], request(tmp_path, tmp_path / "none.onnx", task="paired"))
    assert code == 1
    assert result["failure"]["stage"] == "load"
    assert result["failure"]["artifact"] == 0


def test_it_ends_with_the_process_that_started_it(
    tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    asked = request(tmp_path, make_model(), task="paired", duration_seconds=60)
    command = [sys.executable, *map(str, (FOLDER, asked, tmp_path / "result.json")), "--tethered"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 3
    assert not (tmp_path / "result.json").exists()
