"""Calibration data that is not what it should be: told in one line, or calibrated on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeopt
from edgeopt.core.errors import DataError, EdgeOptError

Data = Callable[[np.ndarray], Any]


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((20, 3, 8, 8)).astype(np.float32)


@pytest.fixture(params=["npz", "function"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Data:
    """Images in each form of data."""

    def as_npz(images: np.ndarray) -> Path:
        np.savez(tmp_path / "d.npz", image=images)
        return tmp_path / "d.npz"

    def as_function(images: np.ndarray) -> Callable[[], Iterator[dict[str, np.ndarray]]]:
        return lambda: ({"image": image} for image in images)

    return {"npz": as_npz, "function": as_function}[request.param]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("effort", ["fast", "default", "high"])
def test_what_is_not_finite_names_its_sample(
    conv_net: Path, tmp_path: Path, data: Data, images: np.ndarray, value: float, effort: str
) -> None:
    images[13, 1, 2, 3] = value
    for call in (
        lambda: edgeopt.calibrate(
            conv_net, data(images), effort=effort, output=tmp_path / "o" / "t.npz"
        ),
        lambda: edgeopt.convert(
            conv_net, precision="int8", calibration=data(images), effort=effort,
            output=tmp_path / "o",
        ),
    ):  # fmt: skip
        with pytest.raises(DataError, match=r"\[13\]: input 'image' holds NaN or inf") as error:
            call()
        assert "\n" not in str(error.value)
        assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("effort", ["fast", "default", "high"])
@pytest.mark.parametrize("value", [0.0, 3.0, -1e-20])
def test_samples_that_are_all_the_same_calibrate(
    conv_net: Path, tmp_path: Path, data: Data, value: float, effort: str
) -> None:
    made = edgeopt.convert(
        conv_net, precision="int8", calibration=data(np.full((20, 3, 8, 8), value, np.float32)),
        effort=effort, output=tmp_path / "o",
    )  # fmt: skip
    for encoding in made.artifacts[0].manifest.encodings:
        assert np.isfinite(encoding.scale).all()
        assert min(encoding.scale) > 0
    check = made.artifacts[0].manifest.verification
    assert check is not None, "on such samples it is as good as on others"
    assert check.passed


@pytest.mark.parametrize("ranges", ["min-max", "percentile", "entropy", "l2", "l2.4"])
def test_one_absurd_value_names_its_sample(
    conv_net: Path, tmp_path: Path, data: Data, images: np.ndarray, ranges: str
) -> None:
    images[13, 1, 2, 3] = 1e30
    with pytest.raises(DataError, match=r"\[13\]: input 'image' reaches 1e\+30"):
        edgeopt.convert(
            conv_net, precision="int8", calibration=data(images), ranges=ranges,
            output=tmp_path / "o",
        )  # fmt: skip
    assert not (tmp_path / "o").exists()


def test_a_single_sample_works_at_every_effort_and_warns(
    conv_net: Path, tmp_path: Path, data: Data, images: np.ndarray
) -> None:
    for effort in ("fast", "default", "high"):
        made = edgeopt.convert(
            conv_net, precision="int8", calibration=data(images[:1]), effort=effort,
            output=tmp_path / "o",
        )  # fmt: skip
        assert any("calibrated on 1 sample only" in w for w in made.warnings)


def test_data_that_ends_early_is_not_calibrated_on(
    conv_net: Path, tmp_path: Path, images: np.ndarray
) -> None:
    np.savez(tmp_path / "d.npz", image=images)
    content = (tmp_path / "d.npz").read_bytes()
    (tmp_path / "d.npz").write_bytes(content[: len(content) // 2])
    calls: list[int] = []

    def shrinking() -> Iterator[dict[str, np.ndarray]]:
        calls.append(0)
        yield from ({"image": image} for image in images[: 20 if len(calls) == 1 else 12])

    for some in (tmp_path / "d.npz", shrinking):
        with pytest.raises(DataError) as error:
            edgeopt.calibrate(conv_net, some, output=tmp_path / "o" / "t.npz")
        assert "\n" not in str(error.value)
        assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.arange(20), r"\[\d+\]: its label is \d+, but the model has classes 0 to 4"),
        (np.full(20, -1), "its label is -1"),
        (np.zeros((20, 4)), "its label is not a class index"),
        (np.arange(19), "different numbers of samples"),
    ],
)
def test_labels_that_do_not_fit_the_outputs_are_told(
    conv_net: Path, tmp_path: Path, images: np.ndarray, labels: np.ndarray, told: str
) -> None:
    np.savez(tmp_path / "d.npz", image=images, labels=labels)
    with pytest.raises(EdgeOptError, match=told) as error:
        edgeopt.convert(
            conv_net, precision="auto", max_drop="1pp", calibration=tmp_path / "d.npz",
            output=tmp_path / "o",
        )  # fmt: skip
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    assert not (tmp_path / "o").exists()
