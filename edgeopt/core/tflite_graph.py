"""What a ``.tflite`` holds: its main graph, as far as EdgeOpt asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeopt.core.tensors import TensorSpec
from edgeopt.core.tflite_metadata import StoredNormalization


@dataclass(frozen=True)
class Quantized:
    """How a tensor's integers stand for reals: ``real = scale * (q - zero_point)``.

    Args:
        scale: One, or one a channel.
        zero_point: Likewise.
        axis: The channels'; None for one scale.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of the file.

    Args:
        spec: Its name, element type and shape; the batch is called ``batch``.
        constant: Whether its data is in the file.
        quantized: Where its integers stand for reals.
    """

    spec: TensorSpec
    constant: bool
    quantized: Quantized | None


@dataclass(frozen=True)
class StoredOperator:
    """An operator of the file.

    Args:
        code: LiteRT's name, or the name of a custom one.
        inputs: Indices of tensors; -1 for one that is left out.
        outputs: Likewise.
        custom: Whether it isn't one of LiteRT's own.
    """

    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    custom: bool


@dataclass(frozen=True)
class TfliteFile:
    """A file's main graph.

    Args:
        description: The file's own; empty without one.
        tensors: All of them.
        operators: In the order in which they run.
        inputs: Indices of tensors.
        outputs: Likewise.
        names: Of inputs and outputs: the signature's, where there is just one, else the tensors'.
        signatures: Their keys.
        subgraphs: How many graphs there are: more than one with control flow, or signatures.
        metadata: Their names.
        normalization: Of image inputs, where the metadata tells.
        oldest_runtime: That has its operators, by TensorFlow Lite's numbers; empty if untold.
    """

    description: str
    tensors: tuple[StoredTensor, ...]
    operators: tuple[StoredOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]
    signatures: tuple[str, ...]
    subgraphs: int
    metadata: tuple[str, ...]
    normalization: tuple[StoredNormalization, ...]
    oldest_runtime: str = ""

    def ends(self, which: int) -> tuple[TensorSpec, ...]:
        """The inputs (0) or outputs (1) by their names."""
        indices = (self.inputs, self.outputs)[which]
        specs = (self.tensors[i].spec for i in indices)
        return tuple(
            TensorSpec(name=name, dtype=s.dtype, shape=s.shape)
            for name, s in zip(self.names[which], specs, strict=True)
        )


def numpy_type(dtype: str) -> np.dtype[Any] | None:
    """Numpy's own of an element type's name; None where it has none (``int4``, ``string``)."""
    try:
        return np.dtype(dtype)
    except TypeError:
        return None
