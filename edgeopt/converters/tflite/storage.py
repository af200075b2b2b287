"""Making tensors and operators, and storing tensors in the order of axes that an operator needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.tflite.kernels import STORED, data_of, takes
from edgeopt.converters.tflite.model import MANY, Model, Operator, Options, Tensor
from edgeopt.converters.tflite.views import Axes, View, regrouped
from edgeopt.core.errors import UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

CHANNELS_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
"""An image's axes (batch, channels, pixels) in LiteRT's order, by rank."""

_CONVERTERS = frozenset({"QUANTIZE", "DEQUANTIZE"})

LARGEST_RANK = 6
"""Of a TRANSPOSE, and of most kernels."""


@dataclass
class Storage:
    """What was made so far.

    Args:
        name: The model's, for messages.
        model: What is made.
        joined: Parts that were joined along an axis, once for all that read them so.
        zeros: A constant 0 of each type.
        at: The node that is being said, for names and messages.
    """

    name: str
    model: Model = field(default_factory=Model)
    joined: dict[tuple[tuple[Tensor, ...], int], Tensor] = field(default_factory=dict)
    zeros: dict[np.dtype[Any], Tensor] = field(default_factory=dict)
    at: str = ""
    _moved: dict[tuple[Tensor, tuple[int, ...], tuple[int, ...]], Tensor] = field(
        default_factory=dict
    )
    _constants: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    _kept: list[Array] = field(default_factory=list)

    # Tensors ------------------------------------------------------------------------------------

    def constant_tensor(self, array: Array, name: str) -> Tensor:
        """A constant tensor; float64 becomes float32, which is what LiteRT computes in."""
        key = (id(array), name)
        if key not in self._constants:
            data = array.astype(np.float32) if array.dtype == np.float64 else array
            self.check_stored(data.dtype, f"constant {name!r}")
            self._constants[key] = Tensor(name, data.dtype, data.shape, data=data)
            self._kept.append(array)
        return self._constants[key]

    def indices(self, values: Sequence[int], name: str = "axes") -> Tensor:
        """A constant vector of int32, as operators take axes, sizes and places."""
        if any(not -(2**31) <= v < 2**31 for v in values):
            raise UnsupportedError(
                f"{self.name}: {self.at!r}: its {name} {list(values)} don't fit 32 bits",
                hint="TFLite takes places and sizes as int32: keep --to onnx for this model",
            )
        data = np.array(values, np.int32)
        return Tensor(f"{self.at}/{name}", data.dtype, data.shape, data=data)

    def shape_of(self, tensor: Tensor) -> Tensor:
        """The constant that a RESHAPE takes for a tensor's shape; -1 where the batch decides."""
        if len(tensor.batched) > 1:
            raise UnsupportedError(
                f"{self.name}: {tensor.name!r} has two dimensions that grow with the batch",
                hint="fix the batch with --input",
            )
        return self.indices(tensor.signature, "shape")

    def emit(
        self,
        code: str,
        inputs: list[Tensor | None],
        options: Options | None = None,
        *,
        like: Tensor | None = None,
        shape: tuple[int, ...] | None = None,
        batched: frozenset[int] | None = None,
        dtype: Any = None,
        name: str = "",
    ) -> Tensor:
        """Add an operator with one output.

        Args:
            code: LiteRT's name.
            inputs: What it reads.
            options: Its options table.
            like: A tensor whose shape, batch and type the output has, where not said otherwise.
            shape: The output's.
            batched: The output's axes that grow with the batch.
            dtype: The output's.
            name: The output's; the node's if empty.
        """
        base = like if like is not None else next(t for t in inputs if t is not None)
        data = data_of(code, inputs)
        checked = data is not None and data.quantization is None and code not in _CONVERTERS
        if checked and data is not None and not takes(code, data.dtype):
            raise UnsupportedError(
                f"{self.name}: {self.at!r}: TFLite has no {code} of {data.dtype}",
                hint="cast it to float32 or int32 before, and export again",
            )
        grows = base.batched if shape is None and batched is None else (batched or frozenset())
        output = Tensor(
            name or self.at or code.lower(),
            np.dtype(dtype) if dtype is not None else base.dtype,
            base.shape if shape is None else tuple(int(d) for d in shape),
            grows,
        )
        self.model.operators.append(Operator(code, inputs, [output], options, self.at))
        return output

    def check_stored(self, dtype: np.dtype[Any], what: str) -> None:
        """Raise if values of a type can't be stored for LiteRT's kernels."""
        if dtype.name not in STORED:
            raise UnsupportedError(
                f"{self.name}: {what} is {dtype}, which TFLite's kernels don't have",
                hint="export the model with float32 and int32 or int64",
            )

    # Orders of axes -----------------------------------------------------------------------------

    def plain(self, view: View) -> Tensor:
        """A view's elements stored in ONNX's order, with the value's own axes."""
        return self.stored(view, tuple(range(view.rank)))

    def channels_last(self, view: View) -> Tensor:
        """An image (or a sequence, or a volume) stored with channels last."""
        return self.stored(view, CHANNELS_LAST[view.rank])

    def stored(self, view: View, order: tuple[int, ...]) -> Tensor:
        """A view's elements stored with the value's axes in a given order, one stored axis each."""
        shape = tuple(view.shape[n] for n in order)
        grows = frozenset(n for n, axis in enumerate(order) if axis in view.batched)
        axes = view.stored_axes(order)
        key = (view.tensor, axes, shape)
        if key not in self._moved:
            self._moved[key] = self.reshaped_tensor(
                self._transposed(view.tensor, axes), shape, grows
            )
        return self._moved[key]

    def reshaped(self, view: View, shape: tuple[int, ...], many: tuple[int, ...]) -> View:
        """A view of the same elements with another shape.

        Args:
            view: The value.
            shape: At batch 1.
            many: At a batch of ``MANY``.
        """
        axes: Axes | None = regrouped(view, many)
        if axes is not None:
            return View(view.tensor, axes)
        split = self._split(view, many)
        if split is not None:
            return split
        grows = frozenset(n for n, (a, b) in enumerate(zip(shape, many, strict=True)) if a != b)
        return View.of(self.reshaped_tensor(self.plain(view), shape, grows))

    def _split(self, view: View, many: tuple[int, ...]) -> View | None:
        """The view where each stored axis that the new shape splits is split where it is stored."""
        parts = _parts_of(view, many)
        if parts is None:
            return None
        sizes = view.tensor.many
        whole = [parts.get(i, [sizes[i]]) for i in range(len(sizes))]
        flat = [size for part in whole for size in part]
        grows = frozenset(n for n, size in enumerate(flat) if size % MANY == 0 and size)
        shape = tuple(s // MANY if n in grows else s for n, s in enumerate(flat))
        if len(shape) > LARGEST_RANK:
            return None
        starts = np.cumsum([0, *(len(part) for part in whole)])
        tensor = self.reshaped_tensor(view.tensor, shape, grows)
        axes = tuple(
            tuple(n for i in axis for n in range(starts[i], starts[i + 1])) for axis in view.axes
        )
        regroup = regrouped(View(tensor, axes), many)
        return None if regroup is None else View(tensor, regroup)

    def _transposed(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        moving = [i for i in axes if tensor.many[i] > 1]
        if moving == sorted(moving):
            return tensor  # only axes of size 1 would move
        shape = tuple(tensor.shape[i] for i in axes)
        grows = frozenset(n for n, i in enumerate(axes) if i in tensor.batched)
        if tensor.data is not None:
            return tensor.transposed(axes)
        if len(axes) > LARGEST_RANK:
            raise UnsupportedError(
                f"{self.name}: {self.at!r} needs a transpose of {len(axes)} dimensions; "
                f"TFLite has {LARGEST_RANK}",
                hint="export the model with fewer dimensions there",
            )
        return self.emit(
            "TRANSPOSE", [tensor, self.indices(axes, "order")], Options("TransposeOptions"),
            shape=shape, batched=grows, name=f"{tensor.name}_moved",
        )  # fmt: skip

    def reshaped_tensor(
        self, tensor: Tensor, shape: tuple[int, ...], grows: frozenset[int]
    ) -> Tensor:
        """A tensor's elements with another shape."""
        if tensor.shape == shape and tensor.batched == grows:
            return tensor
        if tensor.data is not None:
            return tensor.reshaped(shape)
        wanted = self.shape_of(Tensor(tensor.name, tensor.dtype, shape, grows))
        options = Options("ReshapeOptions", {"newShape": wanted.data})
        return self.emit(
            "RESHAPE", [tensor, wanted], options,
            shape=shape, batched=grows, name=f"{tensor.name}_reshaped",
        )  # fmt: skip


def many_shape(view: View) -> tuple[int, ...]:
    """A value's shape at a batch of ``MANY``."""
    return tuple(d * MANY if n in view.batched else d for n, d in enumerate(view.shape))


def _parts_of(view: View, many: tuple[int, ...]) -> dict[int, list[int]] | None:
    """The sizes that each stored axis splits into; None if one doesn't come out even."""
    sizes = view.tensor.many
    stored = [i for axis in view.axes for i in axis if sizes[i] > 1]
    parts: dict[int, list[int]] = {}
    left = 1
    current = -1
    for size in many:
        need = size
        while need > 1:
            if left == 1:
                if not stored:
                    return None
                current = stored.pop(0)
                left = sizes[current]
            step = need if left % need == 0 else left
            if need % step:
                return None
            parts.setdefault(current, []).append(step)
            left //= step
            need //= step
    return parts if left == 1 and not stored else None
