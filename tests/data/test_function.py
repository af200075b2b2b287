from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeopt.core.errors import DataError, EdgeOptError
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import open_dataset

SPEC = TensorSpec(name="x", dtype="float32", shape=("batch", 2))


def three() -> Iterator[dict[str, object]]:
    for i in range(3):
        yield {"x": np.full(2, i), "labels": i}


def test_a_generator_is_read_anew_each_time() -> None:
    dataset = open_dataset(three, (SPEC,))
    assert len(dataset) == 3
    assert dataset.labelled
    for _ in range(2):
        assert [(s.label, s.inputs["x"].tolist()) for s in dataset.samples(1, 3)] == [
            (1, [[1, 1]]), (2, [[2, 2]]),
        ]  # fmt: skip


def test_a_file_names_the_function(tmp_path: Path) -> None:
    (tmp_path / "d.py").write_text("def samples():\n    return [{'x': [1.0, 2.0]}]\n")
    dataset = open_dataset(f"{tmp_path}/d.py:samples", (SPEC,))
    assert next(dataset.samples()).inputs["x"].shape == (1, 2)
    assert dataset.record().sha256 is not None


def test_what_it_gives_is_checked() -> None:
    with pytest.raises(DataError, match="yields list, not a dict"):
        len(open_dataset(lambda: [[1]], (SPEC,)))
    with pytest.raises(DataError, match=r"no 'x' in \['y'\]"):
        list(open_dataset(lambda: [{"y": 1}], (SPEC,)).samples())
    with pytest.raises(DataError, match="no samples"):
        open_dataset(lambda: [], (SPEC,))


def test_what_it_raises_midway_is_told() -> None:
    def broken() -> Iterator[dict[str, object]]:
        yield {"x": np.zeros(2)}
        raise OSError("camera unplugged")

    with pytest.raises(EdgeOptError, match="camera unplugged"):
        open_dataset(broken, (SPEC,))


def test_data_that_ends_early_the_second_time_is_told() -> None:
    calls: list[int] = []

    def shrinking() -> Iterator[dict[str, object]]:
        calls.append(0)
        yield from list(three())[: 3 if len(calls) == 1 else 2]

    dataset = open_dataset(shrinking, (SPEC,))
    with pytest.raises(DataError, match="gave 3 samples at first, and only 2 when") as error:
        list(dataset.samples())
    assert "\n" not in str(error.value)
    assert len(list(dataset.samples(0, 2))) == 2


def test_data_that_is_no_known_form(tmp_path: Path) -> None:
    (tmp_path / "d.csv").touch()
    with pytest.raises(DataError, match="not a form of data"):
        open_dataset(tmp_path / "d.csv", (SPEC,))
    with pytest.raises(DataError, match="no such file"):
        open_dataset(tmp_path / "gone.npz", (SPEC,))
    for name, told in {
        "d.npy": r"np\.savez\('d\.npz', \w+=np\.load\('d\.npy'\)\)",
        "d.JPG": "name the folder that holds the pictures",
    }.items():
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=told):
            open_dataset(tmp_path / name, (SPEC,))
