"""Calibration samples as every side of the comparisons reads them: one at a time, batch 1.

Needs numpy alone: the peers' drivers import it in the peers' own environments.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

Sample = dict[str, np.ndarray]

PHOTOGRAPHS = "COMPARISONS_PHOTOGRAPHS"
"""The environment variable that names ``photographs_calibration.npz`` for ``photographs_N``."""


class Samples:
    """The samples of an ``.npz``, or any number made of its photographs.

    Args:
        path: A file with an array for each input, samples along axis 0; or, as ``FILE.npz:48``, 48
            samples made of a file with ``pixels`` (N, 3, 224, 224) uint8.
    """

    def __init__(self, path: str) -> None:
        file, _, count = path.partition(".npz:")
        with np.load(f"{file}.npz" if count else path) as archive:
            self.arrays = {name: archive[name] for name in archive.files if name != "names"}
        self.made = bool(count)
        self.length = int(count or len(next(iter(self.arrays.values()))))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        """One sample, each array (1, ...)."""
        if self.made:
            return {"image": varied(self.arrays["pixels"], index)[None]}
        return {name: array[index : index + 1] for name, array in self.arrays.items()}

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def varied(pixels: np.ndarray, index: int) -> np.ndarray:
    """The photograph ``index`` mod N, from the second turn on at another brightness and shift.

    Returns:
        (3, 224, 224) float32, (x - 127) / 128.
    """
    turn, place = divmod(index, len(pixels))
    image = np.roll(pixels[place], 7 * turn, axis=2).astype(np.float32)
    return (np.clip(image * (1 + 0.02 * (turn % 8)), 0, 255) - 127) / 128


def _photographs(count: int) -> Iterator[Sample]:
    for sample in Samples(f"{os.environ[PHOTOGRAPHS]}:{count}"):
        yield {name: array[0] for name, array in sample.items()}


def photographs_32() -> Iterator[Sample]:
    """32 photographs, for ``edgeopt calibrate --calibration samples.py:photographs_32``."""
    return _photographs(32)


def photographs_512() -> Iterator[Sample]:
    """512 made of the 128 photographs."""
    return _photographs(512)


def photographs_4096() -> Iterator[Sample]:
    """4096 made of the 128 photographs."""
    return _photographs(4096)
