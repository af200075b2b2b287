from pathlib import Path

import numpy as np
import pytest

from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import open_dataset, stack

IMAGE = TensorSpec(name="image", dtype="float32", shape=("batch", 1, 2, 2))


def save(path: Path, compressed: bool = False, **arrays: np.ndarray) -> Path:
    write = np.savez_compressed if compressed else np.savez
    write(path, **arrays)  # type: ignore[arg-type]  # numpy's stub means allow_pickle
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_samples_are_what_was_stored(tmp_path: Path, compressed: bool) -> None:
    images = np.arange(20, dtype=np.uint8).reshape(5, 1, 2, 2)
    path = save(tmp_path / "d.npz", compressed, image=images, labels=np.arange(5))
    dataset = open_dataset(path, (IMAGE,))
    assert len(dataset) == 5
    assert dataset.labelled
    found = list(dataset.samples())
    assert [s.label for s in found] == [0, 1, 2, 3, 4]
    assert found[0].inputs["image"].dtype == np.float32
    np.testing.assert_array_equal(stack(found)["image"], images.astype(np.float32))
    np.testing.assert_array_equal(
        stack(list(dataset.samples(2, 4)))["image"], images[2:4].astype(np.float32)
    )


def test_integers_are_cast_and_never_scaled_without_a_preprocessing(tmp_path: Path) -> None:
    path = save(tmp_path / "d.npz", image=np.full((1, 1, 2, 2), 255, np.uint8))
    assert next(open_dataset(path, (IMAGE,)).samples()).inputs["image"].max() == 255
    contract = Preprocessing(scale=1 / 255, mean=(0.5,), std=(0.5,))
    assert next(open_dataset(path, (IMAGE,), contract).samples()).inputs["image"].max() == 1


def test_inputs_that_have_no_batch_axis(tmp_path: Path) -> None:
    specs = (
        TensorSpec(name="input", dtype="float32", shape=("n", 4)),
        TensorSpec(name="state", dtype="float32", shape=(2, "n", 3)),
        TensorSpec(name="rate", dtype="int64", shape=()),
    )
    path = save(
        tmp_path / "d.npz",
        input=np.ones((6, 4), np.float32),
        state=np.ones((6, 2, 1, 3), np.float32),
        rate=np.full(6, 16000),
    )
    inputs = next(open_dataset(path, specs).samples()).inputs
    assert {n: a.shape for n, a in inputs.items()} == {
        "input": (1, 4),
        "state": (2, 1, 3),
        "rate": (),
    }


def test_samples_can_be_written_to(tmp_path: Path) -> None:
    path = save(tmp_path / "d.npz", image=np.zeros((1, 1, 2, 2), np.float32))
    next(open_dataset(path, (IMAGE,)).samples()).inputs["image"][:] = 1  # PyTorch asks for it


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"picture": np.zeros((2, 1, 2, 2), np.float32)}, r"no array named 'image'.*picture"),
        ({"image": np.zeros((2, 1, 3, 3), np.float32)}, r"\[1,1,3,3\].*takes \[batch,1,2,2\]"),
        ({"image": np.zeros((2, 3, 1, 2, 3), np.float32)}, "takes"),
        ({"image": np.full((2, 1, 2, 2), np.nan, np.float32)}, r"\[0\].*NaN"),
        ({"image": np.full((2, 1, 2, 2), np.inf)}, "NaN or infinity"),
        ({"image": np.array([["a"]])}, "dtype"),
        ({"image": np.zeros((2, 1, 2, 2), complex)}, "dtype"),
        ({"image": np.zeros((0, 1, 2, 2), np.float32)}, "no samples"),
        ({"image": np.float32(1)}, "axis 0 is the samples"),
        (
            {"image": np.zeros((2, 1, 2, 2), np.float32), "labels": np.zeros(3, int)},
            "different numbers of samples",
        ),
        ({"image": np.asfortranarray(np.zeros((2, 1, 2, 2), np.float32))}, "Fortran"),
        ({"image": np.array([{"a": 1}], object)}, "never loaded"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, arrays: dict[str, np.ndarray], told: str) -> None:
    path = save(tmp_path / "d.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=told):
        list(open_dataset(path, (IMAGE,)).samples())


def test_a_float_never_becomes_an_integer(tmp_path: Path) -> None:
    path = save(tmp_path / "d.npz", ids=np.zeros((2, 4), np.float32))
    spec = TensorSpec(name="ids", dtype="int64", shape=("batch", 4))
    with pytest.raises(DataError, match="float32, but the model takes int64"):
        list(open_dataset(path, (spec,)).samples())


@pytest.mark.parametrize("keep", [0.0, 0.05, 0.5, 0.99])
def test_a_truncated_file_is_said_in_one_line(tmp_path: Path, keep: float) -> None:
    path = save(tmp_path / "d.npz", image=np.zeros((8, 1, 2, 2), np.float32))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match=r"not a readable \.npz") as error:
        list(open_dataset(path, (IMAGE,)).samples())
    assert "\n" not in str(error.value)


def test_damage_inside_a_member_is_found(tmp_path: Path) -> None:
    path = save(tmp_path / "d.npz", image=np.zeros((64, 1, 2, 2), np.float32))
    data = bytearray(path.read_bytes())
    data[600] ^= 255
    path.write_bytes(data)
    with pytest.raises(DataError, match="not a readable"):
        list(open_dataset(path, (IMAGE,)).samples())


def test_a_bug_while_a_sample_is_used_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "d.npz", image=np.zeros((8, 1, 2, 2), np.float32))
    with pytest.raises(ValueError, match="ours"):  # noqa: PT012 - raised while the stream is open
        for _ in open_dataset(path, (IMAGE,)).samples():
            raise ValueError("ours")


def test_the_record_says_which_samples_were_used(tmp_path: Path) -> None:
    path = save(tmp_path / "d.npz", image=np.zeros((8, 1, 2, 2), np.float32))
    record = open_dataset(path, (IMAGE,)).record(0, 6)
    assert (record.kind, record.samples, record.used) == ("npz", 8, (0, 6))
    assert record.sha256
    assert len(record.sha256) == 64


@pytest.mark.parametrize(
    ("spec", "shape", "told"),
    [
        (("batch", 3, 8, 6), (2, 8, 6, 3), r"channels are last.*transpose\(0, 3, 1, 2\)"),
        (("batch", 8, 6, 3), (2, 3, 8, 6), r"channels are first.*transpose\(0, 2, 3, 1\)"),
        (("batch", 3, 8, 6), (2, 8, 7, 3), "in the model's own shape"),
    ],
)
def test_channels_at_the_other_end_are_told(
    tmp_path: Path, spec: tuple[int | str, ...], shape: tuple[int, ...], told: str
) -> None:
    path = save(tmp_path / "d.npz", image=np.zeros(shape, np.float32))
    image = TensorSpec(name="image", dtype="float32", shape=spec)
    with pytest.raises(DataError, match=told):
        list(open_dataset(path, (image,)).samples())
