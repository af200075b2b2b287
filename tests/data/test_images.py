from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import open_dataset

RGB = TensorSpec(name="image", dtype="float32", shape=("batch", 3, 8, 8))
NHWC = TensorSpec(name="image", dtype="float32", shape=(1, 8, 8, 3))
PLAIN = Preprocessing()


def picture(path: Path, color: tuple[int, int, int] = (10, 20, 30), size: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), color).save(path)
    return path


def test_class_folders_give_labels_in_alphabetical_order(tmp_path: Path) -> None:
    for name in ("zebra/1.png", "ant/2.png", "ant/1.png"):
        picture(tmp_path / name)
    dataset = open_dataset(tmp_path, (RGB,), PLAIN)
    assert [(s.origin, s.label) for s in dataset.samples()] == [
        ("ant/1.png", 0), ("ant/2.png", 0), ("zebra/1.png", 1),
    ]  # fmt: skip
    assert dataset.labelled


def test_labels_csv_wins_and_may_have_a_header(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png")
    (tmp_path / "labels.csv").write_text("path,class\na/x.png,7\n")
    assert [s.label for s in open_dataset(tmp_path, (RGB,), PLAIN).samples()] == [7]


def test_loose_pictures_have_no_labels(tmp_path: Path) -> None:
    picture(tmp_path / "x.png")
    assert not open_dataset(tmp_path, (RGB,), PLAIN).labelled


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("../secret.png,1", "leads out of the folder"),
        ("gone.png,1", "no such file"),
        ("x.png,cat", "is not 'path,class index'"),
        ("x.png", "is not 'path,class index'"),
    ],
)
def test_bad_rows_of_labels_csv(tmp_path: Path, row: str, told: str) -> None:
    picture(tmp_path / "secret.png")
    folder = tmp_path / "data"
    picture(folder / "x.png")
    (folder / "labels.csv").write_text(f"x.png,0\n{row}\n")
    with pytest.raises(DataError, match=told):
        open_dataset(folder, (RGB,), PLAIN)


def test_values_follow_the_contract(tmp_path: Path) -> None:
    picture(tmp_path / "x.png", (255, 0, 51))
    contract = Preprocessing(scale=1 / 255, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.5))
    array = next(open_dataset(tmp_path, (RGB,), contract).samples()).inputs["image"]
    np.testing.assert_allclose(array[0, :, 0, 0], [1.0, -2.0, -0.6], atol=1e-6)
    swapped = Preprocessing(scale=1 / 255, mean=(0.5,) * 3, std=(0.5,) * 3, color="bgr")
    array = next(open_dataset(tmp_path, (NHWC,), swapped).samples()).inputs["image"]
    np.testing.assert_allclose(array[0, 0, 0], [-0.6, -1.0, 1.0], atol=1e-6)


def test_resize_keeps_the_aspect_ratio_and_crop_takes_the_middle(tmp_path: Path) -> None:
    wide = Image.new("RGB", (32, 16), (0, 0, 0))
    wide.paste((255, 255, 255), (12, 0, 20, 16))
    wide.save(tmp_path / "x.png")
    contract = Preprocessing(resize=16, crop=8)
    array = next(open_dataset(tmp_path, (RGB,), contract).samples()).inputs["image"]
    assert array.shape == (1, 3, 8, 8)
    assert array.min() == 255


def test_a_truncated_picture_is_named(tmp_path: Path) -> None:
    path = picture(tmp_path / "bad.png", size=64)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"bad\.png: not a readable image"):
        list(open_dataset(tmp_path, (RGB,), PLAIN).samples())


def test_a_picture_of_another_size_says_so(tmp_path: Path) -> None:
    picture(tmp_path / "x.png", size=9)
    with pytest.raises(DataError, match=r"x\.png.*\[1,3,9,9\].*--resize"):
        list(open_dataset(tmp_path, (RGB,), PLAIN).samples())


def test_there_is_no_default_preprocessing(tmp_path: Path) -> None:
    picture(tmp_path / "x.png")
    with pytest.raises(DataError, match="--scale 1/255"):
        open_dataset(tmp_path, (RGB,))


def test_an_empty_folder_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images"):
        open_dataset(tmp_path, (RGB,))


def test_an_empty_folder_and_a_model_that_takes_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images"):
        open_dataset(tmp_path, (RGB,), PLAIN)
    with pytest.raises(DataError, match="doesn't take images"):
        open_dataset(tmp_path, (TensorSpec(name="x", dtype="float32", shape=(1, 9)),), PLAIN)
    with pytest.raises(DataError, match="feeds one input"):
        open_dataset(tmp_path, (RGB, RGB), PLAIN)
