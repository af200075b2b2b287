"""What a model takes and gives: names, element types and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeopt.core.errors import UnsupportedError
from edgeopt.core.record import Record

if TYPE_CHECKING:
    import numpy as np

Dim = int | str
"""A dimension: a fixed size, or the name of one that is only known when the model runs."""

Sizes = tuple[int, int, int]
"""Of a dynamic dimension: the least, the usual and the largest."""


class TensorSpec(Record, frozen=True):
    """One input or output of a model.

    Args:
        name: Its name in the graph.
        dtype: Its element type by numpy's name, such as ``float32`` or ``int64``.
        shape: One entry a dimension; a string is a dynamic dimension.
    """

    name: str
    dtype: str
    shape: tuple[Dim, ...]

    def __str__(self) -> str:
        return f"{self.name}:{self.dtype}[{','.join(map(str, self.shape))}]"

    @property
    def batched(self) -> bool:
        """Whether axis 0 is a batch that can have any size."""
        return bool(self.shape) and isinstance(self.shape[0], str)

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of ``shape`` fits, each dynamic dimension taking any size."""
        return len(shape) == len(self.shape) and all(
            isinstance(want, str) or want == have
            for want, have in zip(self.shape, shape, strict=True)
        )

    def concrete(self, size: int = 1) -> tuple[int, ...]:
        """The shape with every dynamic dimension set to ``size``."""
        return tuple(size if isinstance(d, str) else d for d in self.shape)


_NUMBERS = frozenset(
    f"{kind}{bits}" for kind in ("int", "uint", "float", "complex") for bits in (8, 16, 32, 64, 128)
) | {"bool"}


def check_numbers(where: str, spec: TensorSpec) -> None:
    """Refuse a type that no array can have, such as bfloat16: runtimes take and give arrays.

    Raises:
        UnsupportedError: If it is one.
    """
    if spec.dtype not in _NUMBERS:
        raise UnsupportedError(
            f"{where}: {spec} is of a type of numbers that NumPy doesn't have",
            hint="export it with float32 inputs and outputs, and a cast inside",
        )


Batch = dict[str, "np.ndarray"]
"""What one call of a model takes or gives: an array for each input or output, by name."""
