"""Values as what is stored and the order it is read in: the same idea as the TFLite compiler's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeopt.core.ir import ir

Order = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """A value as another one, transposed.

    Args:
        stored: What is computed.
        order: ``value = transpose(stored, order)``: where each of the value's axes is stored.
    """

    stored: ir.Value
    order: Order

    @property
    def plain(self) -> bool:
        """Whether nothing is transposed."""
        return self.order == tuple(range(len(self.order)))


def inverse(order: Order) -> Order:
    """The order that undoes one.

    >>> inverse((0, 2, 3, 1))
    (0, 3, 1, 2)
    """
    return tuple(order.index(axis) for axis in range(len(order)))


def without(order: Order, axes: Sequence[int]) -> Order:
    """The order once these axes of the value are gone.

    >>> without((0, 2, 3, 1), (1, 2))
    (0, 1)
    """
    left = [axis for axis in range(len(order)) if axis not in axes]
    places = sorted(order[axis] for axis in left)
    return tuple(places.index(order[axis]) for axis in left)


def dims(value: ir.Value) -> list[int | None] | None:
    """A value's sizes, None for one that is only known at run time; None without a rank."""
    if value.shape is None:
        return None
    return [d if isinstance(d, int) else None for d in value.shape]
