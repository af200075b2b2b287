"""Bad tables, samples and labels: `edgeopt convert` says so in one line and leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest

from edgeopt.calibration.table import SCHEMA, CalibrationTable
from edgeopt.calibration.table_file import load_table, save_table

Run = Callable[..., Any]


@pytest.fixture
def table(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    """A calibration table of ``conv_net``."""
    path = tmp_path / "net.table.npz"
    assert run("calibrate", conv_net, "--calibration", conv_data, "-o", path).code == 0
    return path


def images(tmp_path: Path, array: np.ndarray, **more: np.ndarray) -> Path:
    path = tmp_path / "bad.npz"
    np.savez(path, image=array.astype(np.float32), **more)  # type: ignore[arg-type]
    return path


def refused(run: Run, tmp_path: Path, *args: object) -> str:
    """What is said of a conversion that is refused."""
    ran = run("convert", *args, "-o", tmp_path / "out")
    assert ran.code == 2, ran.err
    assert not (tmp_path / "out").exists()
    assert ran.out == ""
    line: str = ran.line
    return line


def test_a_table_of_another_graph(run: Run, conv_net: Path, table: Path, tmp_path: Path) -> None:
    model = onnx.load(conv_net)
    model.graph.node[3].op_type = "Mul"
    onnx.save(model, tmp_path / "other.onnx")
    given = (tmp_path / "other.onnx", "--precision", "int8", "--table", table)
    line = refused(run, tmp_path, *given)
    assert "was not made from the float graph" in line
    assert "calibrate this model" in line


def test_a_table_of_another_version(run: Run, conv_net: Path, table: Path, tmp_path: Path) -> None:
    found = load_table(table)
    newer = msgspec.structs.replace(found.header, schema=SCHEMA + 1)
    save_table(table, CalibrationTable(newer, found.tensors))
    line = refused(run, tmp_path, conv_net, "--precision", "int8", "--table", table)
    assert f"is a calibration table of version {SCHEMA + 1}, not {SCHEMA}" in line


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_table(
    run: Run, conv_net: Path, table: Path, tmp_path: Path, damage: str
) -> None:
    content = table.read_bytes()
    middle = len(content) // 2
    table.write_bytes(
        {
            "cut": content[:middle],
            "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            "empty": b"",
            "text": b"not a table",
        }[damage]
    )
    line = refused(run, tmp_path, conv_net, "--precision", "int8", "--table", table)
    assert str(table) in line


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_one_absurd_value_is_named(
    run: Run, conv_net: Path, tmp_path: Path, rng: np.random.Generator, value: float
) -> None:
    array = rng.standard_normal((40, 3, 8, 8))
    array[5, 0, 0, 0] = value
    data = images(tmp_path, array)
    ran = run(
        "convert", conv_net, "--precision", "int8", "--calibration", data, "-o", tmp_path / "o"
    )
    if ran.code == 0:  # a large value may be clipped away; then it must not have spoilt int8
        assert value == 1e30
        return
    assert ran.code == 2, ran.err
    assert "[5]" in ran.line
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_constant_samples_convert(run: Run, conv_net: Path, tmp_path: Path, value: float) -> None:
    data = images(tmp_path, np.full((40, 3, 8, 8), value))
    ran = run(
        "convert", conv_net, "--precision", "int8", "--calibration", data, "-o", tmp_path / "o"
    )
    assert ran.code in (0, 1), ran.err  # made, or below its floor and said so
    assert len(list((tmp_path / "o").iterdir())) == 2


def test_one_sample_works_and_warns(run: Run, conv_net: Path, tmp_path: Path) -> None:
    data = images(tmp_path, np.random.default_rng(1).standard_normal((1, 3, 8, 8)))
    ran = run(
        "convert", conv_net, "--precision", "int8", "--calibration", data, "-o", tmp_path / "o"
    )
    assert ran.code == 0, ran.err
    assert "Warning: calibrated on 1 sample only" in ran.err


def test_data_that_ends_early(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    content = conv_data.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(content[: len(content) // 2])
    line = refused(run, tmp_path, conv_net, "--precision", "int8", "--calibration", cut)
    assert "cut.npz" in line


def test_a_function_that_fails_in_the_middle(run: Run, conv_net: Path, tmp_path: Path) -> None:
    code = tmp_path / "feed.py"
    code.write_text(
        "import numpy as np\n\ndef samples():\n    for i in range(5):\n"
        "        if i == 3:\n            raise OSError('the drive went away')\n"
        "        yield {'image': np.zeros((3, 8, 8), np.float32)}\n"
    )
    source = f"{code}:samples"
    line = refused(run, tmp_path, conv_net, "--precision", "int8", "--calibration", source)
    assert "the drive went away" in line


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.full(40, 7), "classes 0 to 4"),
        (np.full(40, -1), "classes 0 to 4"),
        (np.zeros(40), "not a class index"),
        (np.zeros(39, np.int64), "39"),
    ],
)
def test_labels_that_do_not_fit(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path, labels: np.ndarray, told: str
) -> None:
    data = images(tmp_path, np.load(conv_data)["image"], labels=labels)
    options = ("--precision", "auto", "--max-drop", "1pp", "--calibration", conv_data)
    assert told in refused(run, tmp_path, conv_net, *options, "--evaluation", data)
