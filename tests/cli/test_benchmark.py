"""``edgeopt benchmark`` as a user runs it; nothing here depends on how fast anything is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeopt.core.preprocessing import Preprocessing

Run = Callable[..., Any]

QUICK = ("--duration", "0.05", "--processes", "2")


@pytest.fixture
def artifacts(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    """A folder with an fp32 and an int8 artifact."""
    out = tmp_path / "out"
    ran = run(
        *("convert", conv_net, "--precision", "fp32,int8", "--calibration", conv_data, "-o", out)
    )
    assert ran.code == 0
    return out


@pytest.fixture
def labelled(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "labelled.npz"
    images = rng.standard_normal((20, 3, 8, 8)).astype(np.float32)
    np.savez(path, image=images, labels=rng.integers(0, 5, 20))
    return path


def test_the_tables(run: Run, artifacts: Path, labelled: Path) -> None:
    files = sorted(artifacts.glob("*.onnx"))
    ran = run("benchmark", *files, "--evaluation", labelled, *QUICK)
    assert ran.code == 0
    assert ran.out.startswith("Measured on ")
    assert "1 thread, batch 1;" in ran.out
    assert "in 2 fresh processes" in ran.out
    summary = next(t for t in ran.out.split("\n\n") if "ratio" in t.splitlines()[0])
    titles, _, fp32, int8 = summary.splitlines()
    assert titles.split() == [
        *("file", "format", "precision", "size", "p50", "ms", "ratio", "top1", "top5", "SQNR"),
    ]
    assert "1 (baseline)" in fp32
    assert "x [" in int8
    assert int8.endswith(" dB")
    assert "Ratios are to conv_net.fp32.onnx" in ran.out
    assert (artifacts / "conv_net.int8.onnx.host.benchmark.json").is_file()


def test_a_pattern_that_the_shell_left_alone(run: Run, artifacts: Path) -> None:
    ran = run("benchmark", artifacts / "*.onnx", *QUICK, "--no-save", "--json")
    assert ran.code == 0
    named = [Path(m["artifact"]).name for m in ran.json["measurements"]]
    assert named == ["conv_net.fp32.onnx", "conv_net.int8.onnx"]
    assert not list(artifacts.glob("*.benchmark.json"))


def test_one_artifact_without_a_manifest(run: Run, conv_net: Path) -> None:
    ran = run("benchmark", conv_net, *QUICK, "--no-save")
    assert ran.code == 0
    assert "ratio" not in ran.out, "neither a column nor a note, whatever the noise"
    assert "No accuracy: no evaluation data was given." in ran.out
    assert "random inputs" in ran.out


def test_the_same_artifact_twice_is_a_check_of_the_machine(run: Run, conv_net: Path) -> None:
    ran = run("benchmark", conv_net, conv_net, *QUICK, "--no-save", "--json")
    assert len(ran.json["measurements"]) == 2


def test_every_option_arrives(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def benchmark(artifacts: list[str], **options: Any) -> None:
        asked.update(options, artifacts=artifacts)
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeopt.pipeline.benchmark.benchmark", benchmark)
    run(
        *("benchmark", "--threads", "2", "a.onnx", "--batch", "4", "b.onnx", "--duration", "2.5"),
        *("--processes", "7", "--seed", "3", "--accuracy", "top1", "--accuracy", "m.py:iou"),
        *("--evaluation", "e.npz", "--no-save", "--no-code", "--crop", "8"),
        *("--benchmark-binary", "program", "--max-latency", "5ms", "--max-size", "2MB"),
        *("--config", "ours.toml"),
    )
    del asked["progress"]
    assert asked == {
        "artifacts": ["a.onnx", "b.onnx"], "evaluation": "e.npz", "accuracy": "top1,m.py:iou",
        "preprocess": Preprocessing(crop=8), "target": None, "provider": "cpu", "threads": 2,
        "batch": 4, "duration": 2.5, "processes": 7, "seed": 3, "save": False, "code": False,
            "benchmark_binary": "program", "max_latency": "5ms", "max_memory": None,
            "max_size": "2MB", "config": "ours.toml",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["missing.onnx"], "missing.onnx: no such file"),
        (["model.txt"], "model.txt: can't be benchmarked"),
        (["no-such-*.onnx"], "no file matches"),
        (["a.onnx", "--duration", "0"], "invalid value for '--duration'"),
        (["a.onnx", "--batch", "many"], "'many' is not a whole number"),
    ],
)
def test_a_mistake_is_one_line(run: Run, args: list[str], told: str) -> None:
    ran = run("benchmark", *args)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.line


def test_what_is_imported_is_held_to_the_project_s_budgets(
    run: Run, conv_net: Path, tmp_path: Path
) -> None:
    folder, file = tmp_path / "bundle", tmp_path / "project.toml"
    quick = ("--duration", "0.05", "--processes", "2", "--target", "arm64")
    assert run("bundle", conv_net, "-o", folder, *quick).code == 0
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, folder / "run.pyz"], check=True, env=environment)
    command = ("benchmark", conv_net, "--import", folder / "result.json", "--config", file)

    file.write_text('[budgets]\nmax-siz = "1kB"\n')
    ran = run(*command)
    assert (ran.code, list(tmp_path.glob("*.benchmark.json"))) == (2, [])

    file.write_text('[budgets.targets.arm64]\nmax-size = "1kB"\nmax-latency = "+1%"\n')
    ran = run(*command, "--json")
    assert ran.code == 1
    (check,) = ran.json["budgets"]
    assert (check["part"], check["source"]) == ("size", f"{file}, budgets.targets.arm64")
    assert "max-latency = +1% (" in ran.json["notes"][-1]
