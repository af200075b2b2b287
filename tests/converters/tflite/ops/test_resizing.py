"""Resize in every mode: right, or refused with the reason; never something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from edgeopt.core.errors import UnsupportedError

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
MODES = ("nearest", "linear")
COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")


def resizing_net(
    save_model: Save, mode: str, coordinates: str, sizes: tuple[int, int], nearest: str
) -> Path:
    """(1, 2, 4, 6) to other sizes."""
    fields = {"nearest_mode": nearest} if mode == "nearest" else {}
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], "resize", mode=mode,
        coordinate_transformation_mode=coordinates, **fields,
    )  # fmt: skip
    return save_model(
        [node],
        [("x", TensorProto.FLOAT, [1, 2, 4, 6])],
        [("y", TensorProto.FLOAT, [1, 2, *sizes])],
        {"sizes": np.array([1, 2, *sizes], np.int64)},
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mode=st.sampled_from(MODES),
    coordinates=st.sampled_from(COORDINATES),
    sizes=st.tuples(st.integers(2, 13), st.integers(2, 13)),
    nearest=st.sampled_from(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]),
)
def test_right_or_refused(
    save_model: Save, both: Both, mode: str, coordinates: str, sizes: tuple[int, int], nearest: str
) -> None:
    path = resizing_net(save_model, mode, coordinates, sizes, nearest)
    x = {"x": np.random.default_rng(6).standard_normal((1, 2, 4, 6)).astype(np.float32)}
    try:
        expected, found = both(path, x)
    except UnsupportedError:
        reject()
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "coordinates"),
    [("linear", "half_pixel"), ("linear", "align_corners"), ("nearest", "asymmetric")],
)
def test_what_decoders_use_is_there(
    save_model: Save, both: Both, mode: str, coordinates: str
) -> None:
    path = resizing_net(save_model, mode, coordinates, (8, 12), "floor")
    x = {"x": np.random.default_rng(6).standard_normal((1, 2, 4, 6)).astype(np.float32)}
    expected, found = both(path, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)
