"""One absurd sample is named; data that is large throughout is data."""

from __future__ import annotations

import numpy as np
import pytest

from edgeopt.calibration.extremes import InputExtremes
from edgeopt.core.errors import DataError
from edgeopt.data import Sample


def look_at(*values: float) -> InputExtremes:
    found = InputExtremes(["x"])
    for place, value in enumerate(values):
        array = np.array([[0.5, value]], np.float32)
        found.add(Sample({"x": array}, None, f"d.npz[{place}]"))
    return found


@pytest.mark.parametrize("values", [(1, 2, 1e30), (1e30, 1, 2), (1, -3e38, 2)])
def test_one_absurd_value_names_its_sample(values: tuple[float, ...]) -> None:
    place = int(np.abs(values).argmax())
    with pytest.raises(DataError, match=rf"d\.npz\[{place}\]: input 'x' reaches .*e\+3"):
        look_at(*values).check()


@pytest.mark.parametrize("values", [(1e6, 3e6, 2e6), (65535, 65535), (0, 0), (1, 60000)])
def test_large_data_is_data(values: tuple[float, ...]) -> None:
    look_at(*values).check()
