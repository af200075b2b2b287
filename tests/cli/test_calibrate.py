"""``edgeopt calibrate`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]


def test_from_the_data_to_an_artifact(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "out" / "t.table.npz"
    ran = run("calibrate", conv_net, "--calibration", conv_data, "-o", table)
    assert ran.code == 0
    assert "observed on 40 samples of" in ran.out
    assert f"The table is {table}" in ran.out
    ran = run("convert", conv_net, "--precision", "int8", "--table", table, "-o", tmp_path / "o")
    assert ran.code == 0
    assert "calibrated on 40 samples of" in ran.out
    assert "give --calibration beside --table" in ran.err


def test_shards_and_merge(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    parts = [tmp_path / f"{i}.npz" for i in (1, 2)]
    for index, part in enumerate(parts, 1):
        ran = run(
            *("calibrate", conv_net, "--calibration", conv_data, "--shard", f"{index}/2"),
            *("-o", part, "--json"),
        )
        assert ran.json["header"]["samples"] == 20
    ran = run("calibrate", "--merge", *parts, "-o", tmp_path / "all.npz", "--json")
    assert ran.json["header"]["samples"] == 40
    assert ran.json["header"]["data"][0]["used"] == [0, 40]


def test_the_table_has_a_name_of_its_own(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("calibrate", conv_net, "--calibration", conv_data).code == 0
    assert (tmp_path / "out" / "conv_net.table.npz").is_file()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "Missing argument 'MODEL'"),
        (["net.onnx"], "Missing option '--calibration'"),
        (["a.onnx", "b.onnx", "--calibration", "c.npz"], "tables are joined with --merge"),
        (["--merge", "a.npz", "b.npz"], "--merge needs -o"),
        (["--merge", "a.npz", "-o", "o.npz"], "two tables or more"),
        (["--merge", "a.npz", "b.npz", "-o", "o.npz"], "a.npz: no such file"),
        (["--merge", "a", "b", "-o", "o", "--shard", "1/2"], "--merge and --shard don't go"),
        (["net.onnx", "--calibration", "none.npz"], "none.npz"),
        (["net.onnx", "--calibration", "c.npz", "--effort", "hgh"], "did you mean high?"),
    ],
)
def test_a_mistake_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("calibrate", *args)
    assert (ran.code, ran.out) == (2, "")
    assert told.lower() in ran.err.lower()
    assert list(tmp_path.iterdir()) == []


def test_an_absurd_sample_is_named_and_nothing_is_written(
    run: Run, conv_net: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    images = rng.standard_normal((20, 3, 8, 8)).astype(np.float32)
    images[13, 0, 0, 0] = 1e30
    np.savez(tmp_path / "d.npz", image=images)
    ran = run("calibrate", conv_net, "--calibration", tmp_path / "d.npz", "-o", tmp_path / "t/t")
    assert ran.code == 2
    assert "d.npz[13]: input 'image' reaches 1e+30" in ran.line
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("values", [0.0, 3.0])
def test_constant_samples_calibrate(
    run: Run, conv_net: Path, tmp_path: Path, values: float
) -> None:
    images = np.full((20, 3, 8, 8), values, np.float32)
    np.savez(tmp_path / "d.npz", image=images)
    ran = run(
        *("convert", conv_net, "--precision", "int8", "--calibration", tmp_path / "d.npz"),
        *("--no-verify", "-o", tmp_path / "o"),
    )
    assert ran.code == 0


def test_one_sample_works_and_warns(
    run: Run, conv_net: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    np.savez(tmp_path / "d.npz", image=rng.standard_normal((1, 3, 8, 8)).astype(np.float32))
    ran = run(
        *("convert", conv_net, "--precision", "int8", "--calibration", tmp_path / "d.npz"),
        *("-o", tmp_path / "o"),
    )
    assert ran.code == 0
    assert "calibrated on 1 sample only" in ran.err
