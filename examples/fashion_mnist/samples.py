"""The example's data with channels last, ``image`` (28, 28, 1), as ``model.keras`` takes it.

``--calibration`` takes ``samples.py:calibration``, ``--evaluation`` takes ``samples.py:test``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).resolve().parent


def calibration() -> Iterator[dict[str, npt.NDArray[np.generic]]]:
    """Yield the images of ``calibration.npz``."""
    return _images("calibration.npz")


def test() -> Iterator[dict[str, npt.NDArray[np.generic]]]:
    """Yield the images of ``test.npz`` with their labels."""
    return _images("test.npz")


def _images(name: str) -> Iterator[dict[str, npt.NDArray[np.generic]]]:
    with np.load(FOLDER / name) as data:
        images, labels = data["image"], data.get("labels")
    for index, image in enumerate(images):
        sample = {"image": np.moveaxis(image, 0, -1)}
        if labels is not None:
            sample["labels"] = labels[index]
        yield sample
