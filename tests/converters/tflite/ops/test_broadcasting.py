"""Operators of two operands, in any order of axes and any broadcast, beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

Save = Callable[..., Path]
Both = Callable[..., tuple[list[np.ndarray], list[np.ndarray]]]
FLOATS = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow")
SHAPE = (2, 3, 4, 5)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    op=st.sampled_from(FLOATS),
    ones=st.sets(st.integers(0, 3)),
    rank=st.integers(1, 4),
    constant=st.booleans(),
    turned=st.booleans(),
    order=st.permutations(range(4)),
)
def test_an_image_and_what_is_broadcast_to_it(
    save_model: Save,
    both: Both,
    op: str,
    ones: set[int],
    rank: int,
    constant: bool,
    turned: bool,
    order: list[int],
) -> None:
    """The image comes out of a convolution and is transposed: stored otherwise than it is seen."""
    seen = tuple(SHAPE[n] for n in order)
    other = tuple(1 if n in ones else d for n, d in enumerate(seen))[4 - rank :]
    rng = np.random.default_rng(8)
    operands = ["image", "other"][:: -1 if turned else 1]
    weights = {"w": rng.random((3, 3, 1, 1)).astype(np.float32)}
    array = (0.5 + rng.random(other)).astype(np.float32)
    ends = [("x", TensorProto.FLOAT, list(SHAPE))]
    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
            helper.make_node("Transpose", ["c"], ["image"], "turn", perm=order),
            helper.make_node(op, operands, ["y"], "both"),
        ],
        ends if constant else [*ends, ("other", TensorProto.FLOAT, list(other))],
        [("y", TensorProto.FLOAT, list(seen))],
        {**weights, "other": array} if constant else weights,
    )
    inputs = {"x": (0.5 + rng.random(SHAPE)).astype(np.float32)}
    expected, found = both(path, inputs if constant else {**inputs, "other": array})
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)
