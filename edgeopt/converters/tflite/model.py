"""A TFLite model in memory: tensors, operators, and which tensors go in and out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


MANY = 10007
"""A batch that no other size is a multiple of: what grows with the batch is told by it."""


@dataclass(frozen=True)
class Quantization:
    """How a tensor's integers stand for reals: ``real = scale * (q - zero_point)``.

    Args:
        scale: One, or one a channel; float32 numbers.
        zero_point: Likewise.
        axis: The channels'; None for one scale.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None


@dataclass(eq=False)
class Tensor:
    """A tensor.

    Args:
        name: Its name; made unique when the file is written.
        dtype: Of its elements.
        shape: At batch 1.
        batched: The axes that grow with the batch.
        data: Of a constant.
        quantization: Where its elements are integers that stand for reals.
        bits: Of its elements, where fewer are stored than the type has: 4.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    batched: frozenset[int] = frozenset()
    data: Array | None = None
    quantization: Quantization | None = None
    bits: int | None = None

    @property
    def constant(self) -> bool:
        """Whether it is known before the model runs."""
        return self.data is not None

    @property
    def many(self) -> tuple[int, ...]:
        """Its shape at a batch of :data:`MANY`."""
        return tuple(d * MANY if i in self.batched else d for i, d in enumerate(self.shape))

    @property
    def signature(self) -> tuple[int, ...]:
        """Its shape with -1 where the batch decides."""
        return tuple(-1 if i in self.batched else d for i, d in enumerate(self.shape))

    def transposed(self, order: tuple[int, ...]) -> Tensor:
        """A constant with its axes in another order."""
        assert self.data is not None
        quantization = self.quantization
        if quantization is not None and quantization.axis is not None:
            quantization = replace(quantization, axis=order.index(quantization.axis))
        data = self.data.transpose(order)
        return replace(self, shape=data.shape, data=data, quantization=quantization)

    def reshaped(self, shape: tuple[int, ...]) -> Tensor:
        """A constant with another shape; channels that have scales must stay an axis."""
        assert self.data is not None
        quantization = self.quantization
        if quantization is not None and quantization.axis is not None:
            place = _kept_axis(self.shape, quantization.axis, shape)
            quantization = replace(quantization, axis=place)
        return replace(self, shape=shape, data=self.data.reshape(shape), quantization=quantization)


def _kept_axis(before: tuple[int, ...], axis: int, after: tuple[int, ...]) -> int:
    outer = math.prod(before[:axis])
    for place, size in enumerate(after):
        if size == before[axis] and math.prod(after[:place]) == outer:
            return place
    raise AssertionError(f"channels along axis {axis} of {before} are no axis of {after}")


@dataclass(eq=False)
class Operator:
    """An operator.

    Args:
        code: LiteRT's name of it: ``CONV_2D``.
        inputs: None where an optional one is left out.
        outputs: What it gives.
        options: Fields of its options table by LiteRT's names, after the table's name.
        node: The ONNX node it comes from.
    """

    code: str
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: Options | None = None
    node: str = ""

    @property
    def output(self) -> Tensor:
        """The only output."""
        (output,) = self.outputs
        return output


@dataclass
class Options:
    """An operator's options.

    Args:
        table: The schema's name of the table: ``Conv2DOptions``.
        fields: By the schema's names; the others keep the schema's defaults.
    """

    table: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Model:
    """A model.

    Args:
        inputs: In order.
        outputs: In order.
        operators: In an order in which they can run.
        names: The signature's names of inputs and outputs, in their order.
        metadata: What else the file says, by name.
    """

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    names: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    metadata: dict[str, bytes] = field(default_factory=dict)

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor once, in the order in which the file lists them."""
        seen: set[Tensor] = set()
        ends = (*self.inputs, *self.outputs)
        inner = (t for op in self.operators for t in (*op.inputs, *op.outputs))
        for tensor in (*ends, *inner):
            if tensor is not None and tensor not in seen:
                seen.add(tensor)
                yield tensor

    def readers(self) -> dict[Tensor, list[Operator]]:
        """Who reads each tensor; an operator that reads it twice is there twice."""
        found: dict[Tensor, list[Operator]] = {}
        for op in self.operators:
            for tensor in op.inputs:
                if tensor is not None:
                    found.setdefault(tensor, []).append(op)
        return found

    def writers(self) -> dict[Tensor, Operator]:
        """Who writes each tensor."""
        return {tensor: op for op in self.operators for tensor in op.outputs}
