import pytest

from edgeopt.core.tensors import Dim, TensorSpec
from edgeopt.data.dataset import fixed_batch


@pytest.mark.parametrize(
    ("shapes", "batch"),
    [
        ([(8, 3, 4)], 8),
        ([(8, 3), (8,)], 8),
        ([("n", 3)], 1),
        ([(1, 3)], 1),
        ([("n", 576), (2, "n", 128), ()], 1),  # a recurrent state, a scalar
        ([(8, 3), (2, 8, 4)], 1),
    ],
)
def test_a_batch_is_fixed_only_where_all_inputs_agree(
    shapes: list[tuple[Dim, ...]], batch: int
) -> None:
    specs = [TensorSpec(name=f"x{i}", dtype="float32", shape=s) for i, s in enumerate(shapes)]
    assert fixed_batch(specs) == batch
