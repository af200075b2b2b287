"""Folders of pictures, and labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edgeopt
from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.pipeline.validation.records import Level
from tests.pipeline.validation.findings import Save, bad, finding


def pictures(folder: Path, rng: np.random.Generator, count: int = 20, side: int = 8) -> Path:
    for n in range(count):
        path = folder / f"class{n % 2}" / f"{n:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (side, side, 3)).astype(np.uint8)).save(path)
    return folder


def test_a_folder_of_pictures(tmp_path: Path, rng: np.random.Generator, conv_net: Path) -> None:
    folder = pictures(tmp_path / "photos", rng)
    copy = folder / "class0" / "copy.png"
    copy.write_bytes((folder / "class0" / "002.png").read_bytes())
    alone = edgeopt.validate_data(folder)
    assert alone.data.inputs[0].shapes == ((3, 8, 8),)
    assert finding(alone, "duplicates").examples == ("class0/copy.png = class0/002.png",)
    beside = edgeopt.validate_data(folder, model=conv_net, preprocess=Preprocessing(scale=1 / 255))
    assert bad(beside) == ["samples", "duplicates", "classes"]
    small = edgeopt.validate_data(folder, model=conv_net, preprocess=Preprocessing(crop=6))
    assert "[1,3,6,6], but the model takes" in finding(small, "fits (image)").why


def test_folders_with_other_classes_do_not_match(tmp_path: Path, rng: np.random.Generator) -> None:
    data, other = pictures(tmp_path / "a", rng), pictures(tmp_path / "b", rng)
    assert edgeopt.validate_data(data, evaluation=other).level is Level.WARN  # few samples
    (other / "class1").rename(other / "class2")
    with pytest.raises(DataError, match=r"class1, class2 in one of them only"):
        edgeopt.validate_data(data, evaluation=other)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in it"):
        edgeopt.validate_data(tmp_path / "empty")


def test_a_picture_that_cannot_be_read(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = pictures(tmp_path / "photos", rng)
    (folder / "class1" / "broken.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"broken\.png: not a readable image"):
        edgeopt.validate_data(folder)


def test_labels_of_another_number(save: Save, images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"different numbers of samples \(image: 120, labels: 9\)"):
        edgeopt.validate_data(save(image=images, labels=np.arange(9)))


def test_labels_for_some_samples_only(images: np.ndarray) -> None:
    def samples() -> Iterator[dict[str, Any]]:
        for n, image in enumerate(images):
            yield {"image": image, "labels": 1} if n % 2 else {"image": image}

    with pytest.raises(DataError, match="60 of its 120 samples have labels"):
        edgeopt.validate_data(samples)


@pytest.mark.parametrize(("label", "classes"), [(5, None), (-1, None), (3, 3)])
def test_labels_that_are_no_classes(
    save: Save, images: np.ndarray, labels: np.ndarray, conv_net: Path, label: int,
    classes: int | None,
) -> None:  # fmt: skip
    labels = labels % 3
    labels[8] = label
    with pytest.raises(DataError, match=f"1 label of 120 is no class, such as {label}"):
        edgeopt.validate_data(save(image=images, labels=labels), model=conv_net, classes=classes)


def test_labels_that_are_no_classes_of_any_model(save: Save, images: np.ndarray) -> None:
    boxes = images[:, 0, :2, 0].copy()
    found = edgeopt.validate_data(save(image=images, labels=boxes))
    assert found.level is Level.PASS
    assert finding(found, "classes").level is Level.SKIPPED
    boxes[4] = np.nan
    found = edgeopt.validate_data(save(image=images, labels=boxes))
    assert finding(found, "finite (labels)").figures == {"samples": 1, "values": 2}


def test_labels_may_be_numbers_of_any_size(save: Save, images: np.ndarray) -> None:
    labels = np.full(120, 2**63, np.uint64)
    found = edgeopt.validate_data(save(image=images, labels=labels))
    assert "no sample of class 0, 1, 2 and 9,223,372,036" in finding(found, "classes").why
