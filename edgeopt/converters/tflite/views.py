"""How a stored tensor stands for an ONNX value whose axes are in another order.

ONNX convolutions have channels first, LiteRT's have them last. Instead of transposing around each
of them, every ONNX value is a *view*: a stored tensor, and for each of the value's axes the stored
axes it is made of. Transpose, Flatten and most Reshapes then only change the view; a TRANSPOSE is
written where an operator needs an order that isn't there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from edgeopt.converters.tflite.model import Tensor

Axes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class View:
    """A value.

    Args:
        tensor: Where its elements are.
        axes: For each of its axes the stored axes that make it up, the outermost first: ``((0,),
            (3,), (1,), (2,))`` is an image with channels last seen with channels first, ``((0,),
            (3, 1, 2))`` the same image flattened. An axis of none has size 1; stored axes of size 1
            may belong to none.
    """

    tensor: Tensor
    axes: Axes

    @staticmethod
    def of(tensor: Tensor) -> View:
        """A tensor as it is stored."""
        return View(tensor, tuple((i,) for i in range(len(tensor.shape))))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of the value, at batch 1."""
        return tuple(math.prod(self.tensor.shape[i] for i in axis) for axis in self.axes)

    @cached_property
    def batched(self) -> frozenset[int]:
        """The value's axes that grow with the batch."""
        grows = self.tensor.batched
        return frozenset(n for n, axis in enumerate(self.axes) if grows & set(axis))

    @property
    def rank(self) -> int:
        """Of the value."""
        return len(self.axes)

    def at(self, tensor: Tensor) -> View:
        """The same view of another tensor with the same axes: what an elementwise operator gave."""
        return View(tensor, self.axes)

    def permuted(self, order: tuple[int, ...]) -> View:
        """With the value's axes in another order, as ONNX's Transpose has it."""
        return View(self.tensor, tuple(self.axes[i] for i in order))

    def expanded(self, places: list[int]) -> View:
        """With axes of size 1 put in at these places of the result."""
        axes = list(self.axes)
        for place in sorted(places):
            axes.insert(place, ())
        return View(self.tensor, tuple(axes))

    def squeezed(self, places: set[int]) -> View:
        """Without some axes of size 1."""
        kept = (axis for n, axis in enumerate(self.axes) if n not in places)
        return View(self.tensor, tuple(kept))

    def storage_order(self) -> tuple[int, ...] | None:
        """The value's axes in the order in which they are stored.

        None where an axis is made of stored axes that aren't next to one another in their order, so
        that no order of the value's axes is how they are stored.
        """
        sizes = self.tensor.shape
        real = [[i for i in axis if sizes[i] > 1 or i in self.tensor.batched] for axis in self.axes]
        flat = [i for i in range(len(sizes)) if any(i in axis for axis in real)]
        for axis in real:
            start = flat.index(axis[0]) if axis else 0
            if axis != flat[start : start + len(axis)]:
                return None
        # An axis of size 1 stays beside its left neighbour, wherever that went.
        keys: list[tuple[int, int]] = []
        for n, axis in enumerate(real):
            left = keys[-1][0] if keys else -1
            keys.append((axis[0] if axis else left, n))
        return tuple(sorted(range(len(real)), key=lambda n: keys[n]))

    def stored_axes(self, order: tuple[int, ...]) -> tuple[int, ...]:
        """The stored axes in the order of the value's, those that belong to none last."""
        used = [i for n in order for i in self.axes[n]]
        return (*used, *(i for i in range(len(self.tensor.shape)) if i not in used))


def regrouped(view: View, shape: tuple[int, ...]) -> Axes | None:
    """The axes of a view's value reshaped, where stored axes only go together differently.

    Args:
        view: The value.
        shape: Its new shape, at a batch of :data:`~edgeopt.converters.tflite.model.MANY`.

    Returns:
        None where a stored axis would have to be split.
    """
    sizes = view.tensor.many
    stored = [i for axis in view.axes for i in axis if sizes[i] > 1]
    found: list[tuple[int, ...]] = []
    for size in shape:
        taken: list[int] = []
        have = 1
        while have < size and stored:
            taken.append(stored.pop(0))
            have *= sizes[taken[-1]]
        if have != size:
            return None
        found.append(tuple(taken))
    return None if stored else tuple(found)
