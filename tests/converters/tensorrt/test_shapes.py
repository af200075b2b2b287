"""The ranges of sizes that engines are built for."""

from __future__ import annotations

import pytest

from edgeopt.converters.inputs import parse_inputs
from edgeopt.converters.tensorrt.shapes import shape_ranges, unsaid_batches
from edgeopt.core.errors import UsageError
from edgeopt.core.tensors import Sizes, TensorSpec

IMAGE = TensorSpec(name="x", dtype="float32", shape=("batch", 3, "h", 8))


@pytest.mark.parametrize(
    ("given", "least", "usual", "largest"),
    [
        ("x:float32[1..8,3,4,8]", (1, 3, 4, 8), (1, 3, 4, 8), (8, 3, 4, 8)),
        ("x:float32[1..4..8,3,h,8]", (1, 3), (4, 3), (8, 3)),
    ],
)
def test_a_range_of_sizes(given: str, least: Sizes, usual: Sizes, largest: Sizes) -> None:
    parsed = parse_inputs((given,))
    assert isinstance(parsed.specs["x"].shape[0], str)
    known = tuple(d if isinstance(d, int) else 4 for d in parsed.specs["x"].shape[1:])
    spec = TensorSpec(name="x", dtype="float32", shape=("batch", *known))
    (found,) = shape_ranges([spec], parsed.ranges)
    assert found.least[: len(least)] == least
    assert found.usual[: len(usual)] == usual
    assert found.largest[: len(largest)] == largest


@pytest.mark.parametrize("dim", ["0..8", "8..1", "1..9..8"])
def test_what_is_no_range_is_refused(dim: str) -> None:
    with pytest.raises(UsageError, match=r"isn't a range of sizes: write 1\.\.8"):
        parse_inputs((f"x:float32[{dim},3]",))


def test_a_batch_that_nothing_is_said_of_is_1() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=("batch", 3))
    (found,) = shape_ranges([spec], {})
    assert found.least == found.largest == (1, 3)
    (told,) = unsaid_batches([spec], {})
    assert told.endswith("with --input 'x:float32[1..8,3]'")


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ({}, r"input 'x' has any size along axis 2 \(h\).*--input 'x:float32\[1..8,3,1..8,8\]'"),
        ({"x": (None, (1, 1, 4), (4, 4, 8), None)}, "its size along axis 1 is fixed at 3"),
        ({"x": ((1, 1, 4),)}, "1 sizes for 4 dimensions"),
        ({"y": ()}, "--input y: no such input: it has: x"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(
    ranges: dict[str, tuple[Sizes | None, ...]], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        shape_ranges([IMAGE], ranges)
